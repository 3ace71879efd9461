import type { DatabaseSync } from 'node:sqlite'
import { mendCounters } from '#storage/counters/at-start.ts'
import { CEILING_STEP } from '#storage/counters/declared.ts'
import { PORT_MARK } from '#storage/database.ts'
import { wrongServerName } from '#storage/wrong-database.ts'
import { runAsking } from './ask.ts'

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
export const startDeployment = (db: DatabaseSync, options: StartOptions): DeploymentStart => {
  const mark = Buffer.from(options.randomBytes(16)).toString('hex')
  const newIncarnation = () => Number(Buffer.from(options.randomBytes(5)).readUIntBE(0, 5))
  const owner = db.prepare('SELECT server_name FROM deployment').get()?.['server_name']
  if (owner !== undefined && owner !== options.serverName) throw wrongServerName(String(owner), options.serverName)
  const mended = mend(db, options.randomBytes)
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
    return { position: 0, incarnation, mended }
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
  return { position, incarnation, mended }
}

/** Where the log goes on, and what was wrong with counters and is mended, in sentences. */
export type DeploymentStart = {
  readonly position: number
  readonly incarnation: number
  readonly mended: readonly string[]
}

/** Checks the counters against the tables, and mends what can be mended safely. */
function mend(db: DatabaseSync, randomBytes: StartOptions['randomBytes']): readonly string[] {
  db.exec('BEGIN IMMEDIATE')
  try {
    const mended = runAsking(db, mendCounters('sqlite', (randomBytes(1)[0] ?? 0) / 256))
    db.exec('COMMIT')
    return mended
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

/** Notes that the database was closed in order, so that the next start goes on without a jump. */
export const closeDeployment = (db: DatabaseSync): void => {
  db.exec('UPDATE deployment SET closed_cleanly = 1')
}
