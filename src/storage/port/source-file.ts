import { existsSync, rmSync, statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { DatabaseRefused } from '#storage/database.ts'
import { pendingMigrations } from '#storage/migrate.ts'
import { SCHEMA_VERSION } from '#storage/schema-version.ts'
import { GuardFile, realPathOf } from '#storage/sqlite/guard-file.ts'
import { schemaState } from '#storage/sqlite/schema.ts'
import { openToRead, type SqlitePlace } from './connect.ts'

/** A SQLite file that is to be copied from, and in what condition it is. It is kept from servers while it is held, and never changed. */
export class SourceFile implements Disposable {
  readonly place: SqlitePlace
  /** `running`: a server has it open; `crashed`: it was not closed, and its log is there. */
  readonly condition: 'closed' | 'running' | 'crashed'
  readonly #guard: GuardFile | undefined
  readonly #hadIndex: boolean
  readonly #stamp: string

  private constructor(path: string, guard: GuardFile | 'taken' | undefined) {
    const hasLog = logBytes(path) > 0
    const isRunning = guard === 'taken'
    this.#guard = isRunning ? undefined : guard
    this.#hadIndex = existsSync(`${path}-shm`)
    this.place = { engine: 'sqlite', path, isImmutable: !isRunning && !hasLog }
    this.#stamp = stampOf(path)
    using db = openSource(this.place)
    const isClosed = checkSource(db, path)
    const mayMissLog = !isClosed && !isRunning && !hasLog && !(guard !== undefined && existsSync(`${path}-wal`))
    if (mayMissLog) throw new DatabaseRefused(uncleanCopy(path))
    if (!isClosed && guard === undefined) checkPages(db, path)
    this.condition = isRunning ? 'running' : isClosed && !hasLog ? 'closed' : 'crashed'
  }

  /** Looks at the file; throws `DatabaseRefused` where it cannot be copied from. */
  static open(named: string): SourceFile {
    const path = realPathOf(named)
    const guard = takeGuard(path)
    try {
      return new SourceFile(path, guard)
    } catch (error) {
      if (guard !== 'taken') guard?.[Symbol.dispose]()
      throw error
    }
  }

  /** Throws if somebody wrote to the file though nobody should have. */
  checkUnchanged(): void {
    const { path, isImmutable } = this.place
    if (!isImmutable || (stampOf(path) === this.#stamp && logBytes(path) === 0)) return
    throw new DatabaseRefused(
      `${path} was changed while it was copied. Stop whatever writes to it, then run this again.`,
    )
  }

  [Symbol.dispose](): void {
    const { path } = this.place
    // SQLite needs this file to read a log that a crash left; it was not here before.
    if (!this.#hadIndex && this.condition === 'crashed') rmSync(`${path}-shm`, { force: true })
    this.#guard?.[Symbol.dispose]()
  }
}

const logBytes = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0

const stampOf = (path: string): string => {
  const { size, mtimeMs, ino } = statSync(path)
  return `${size} ${mtimeMs} ${ino}`
}

/** Keeps servers out, where there is a guard file; a copy has none, and gets none. */
function takeGuard(path: string): GuardFile | 'taken' | undefined {
  if (!existsSync(`${path}-guard`)) return undefined
  try {
    return new GuardFile(path)
  } catch (error) {
    const isBusy = error instanceof Error && /locked|busy/i.test(String((error.cause as Error | undefined)?.message))
    return isBusy ? 'taken' : undefined
  }
}

const uncleanCopy = (path: string): string =>
  `${path} was copied while its server ran, or after a crash, and without the log beside it (homeserver.db-wal), so what was written last is missing. ` +
  `Stop the server and copy the file again. If this is the only copy there is, start and stop a server on it once: what is in it counts then.`

/** Checks that it is ours and up to date; says whether it was closed in order. */
function checkSource(db: DatabaseSync, path: string): boolean {
  const state = readState(db, path)
  if (state.kind === 'empty') throw new DatabaseRefused(`${path} is empty: there is nothing to copy.`)
  const pending = pendingMigrations(state, [
    { version: Number.MAX_SAFE_INTEGER, name: '', statements: [], checksum: '' },
  ])
  if (pending.length > 0 && state.kind === 'ours') checkVersion(state.version, path)
  if (db.prepare('PRAGMA encoding').get()?.['encoding'] !== 'UTF-8') {
    throw new DatabaseRefused(`${path} does not keep its texts as UTF-8, so it was not made by Myelin.`)
  }
  const row = db.prepare('SELECT closed_cleanly FROM deployment').get()
  if (row === undefined) throw new DatabaseRefused(`No server has run on ${path} yet: there is nothing to copy.`)
  return row['closed_cleanly'] === 1
}

function openSource(place: SqlitePlace): DatabaseSync {
  try {
    return openToRead(place)
  } catch (cause) {
    throw unreadable(place.path, cause)
  }
}

function readState(db: DatabaseSync, path: string) {
  try {
    return schemaState(db)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

const unreadable = (path: string, cause: unknown): DatabaseRefused =>
  new DatabaseRefused(`${path} cannot be read as a SQLite database: ${(cause as Error).message}`, { cause })

/** A log and a file that were copied while a server wrote need not fit together. */
function checkPages(db: DatabaseSync, path: string): void {
  const [found] = db.prepare('PRAGMA quick_check(1)').all()
  if (found?.['quick_check'] === 'ok') return
  throw new DatabaseRefused(
    `${path} and its log do not fit together: they were copied while a server ran. Stop it and copy again.`,
  )
}

/** Source and target are compared table by table, so both must have the tables of this program. */
export const checkVersion = (version: number, what: string): void => {
  if (version === SCHEMA_VERSION) return
  throw new DatabaseRefused(
    `${what} has version ${version} of the tables, and this Myelin version ${SCHEMA_VERSION}. Start and stop a server of this Myelin on it once, then port.`,
  )
}
