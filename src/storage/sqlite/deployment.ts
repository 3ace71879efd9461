import type { DatabaseSync } from 'node:sqlite'
import { DatabaseRefused, PORT_MARK } from '#storage/database.ts'

/** How far ahead of the last position the ceiling is set: as many positions may be skipped by a start after a crash. */
export const CEILING_STEP = 10_000

/** What a start needs to know and to say of the deployment. */
export type StartOptions = {
  readonly serverName: string
  readonly randomBytes: (size: number) => Uint8Array
  /** The mark that stood beside the database, where there was one: a database without it is a copy. */
  readonly markBeside: string | undefined
  /** Writes the new mark beside the database. */
  readonly keepMark: (mark: string) => void
}

/** Opens the deployment's books: checks the server name, notices a restored copy, sets the position above all that was ever given. */
export const startDeployment = (
  db: DatabaseSync,
  options: StartOptions,
): { readonly position: number; readonly incarnation: number } => {
  const mark = Buffer.from(options.randomBytes(16)).toString('hex')
  const newIncarnation = () => Number(Buffer.from(options.randomBytes(5)).readUIntBE(0, 5))
  const row = db.prepare('SELECT * FROM deployment').get()
  if (row === undefined) {
    const incarnation = newIncarnation()
    db.prepare("INSERT INTO deployment VALUES (1, ?, ?, 0, ?, ?, '', 0, ?)").run(
      options.serverName,
      incarnation,
      CEILING_STEP,
      mark,
      options.randomBytes(32),
    )
    options.keepMark(mark)
    return { position: 0, incarnation }
  }
  if (row['server_name'] !== options.serverName) {
    throw new DatabaseRefused(
      `The database belongs to the server ${row['server_name']}, but server_name is ${options.serverName}. A server cannot change its name.`,
    )
  }
  // Fresh from a port, it goes on where the other database stopped.
  const isSame = options.markBeside === row['mark'] || String(row['mark']).startsWith(PORT_MARK)
  const isClean = row['closed_cleanly'] === 1
  const position = isClean && isSame ? Number(row['last_position']) : Number(row['ceiling'])
  const incarnation = isSame ? Number(row['incarnation']) : newIncarnation()
  db.prepare('UPDATE deployment SET last_position = ?, ceiling = ?, incarnation = ?, mark = ?, closed_cleanly = 0').run(
    position,
    position + CEILING_STEP,
    incarnation,
    mark,
  )
  options.keepMark(mark)
  return { position, incarnation }
}

/** Notes that the database was closed in order, so that the next start goes on without a jump. */
export const closeDeployment = (db: DatabaseSync): void => {
  db.exec('UPDATE deployment SET closed_cleanly = 1')
}
