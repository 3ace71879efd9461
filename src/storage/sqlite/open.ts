import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Batch, BatchResult } from '#storage/change.ts'
import { type Database, DatabaseRefused } from '#storage/database.ts'
import { pendingMigrations, readMigrations } from '#storage/migrate.ts'
import type { RowCodec } from '#storage/row.ts'
import { type Query, QueryTexts } from '#storage/sql.ts'
import type { Clock } from '#util/clock.ts'
import { type Logger, silentLogger } from '#util/logger.ts'
import { Checkpointer } from './checkpointer.ts'
import { closeDeployment, startDeployment } from './deployment.ts'
import { GuardFile } from './guard-file.ts'
import { migrateSqlite, schemaState } from './schema.ts'
import { SqliteWriter } from './writer.ts'

/** What opening a SQLite database takes. `OFF` loses commits at a power cut: for tests. */
export type SqliteOptions = {
  readonly path: string
  readonly synchronous: 'FULL' | 'NORMAL' | 'OFF'
  readonly serverName: string
  readonly randomBytes: (size: number) => Uint8Array
  readonly clock: Clock
  readonly log?: Logger
}

const MAX_LOG_BYTES = 16 * 1024 * 1024

/** Opens the file, made new where there is none, brought up to date, and kept from other processes while it is open. */
export const openSqlite = (options: SqliteOptions): Database => {
  mkdirSync(dirname(options.path), { recursive: true })
  refuseWrongFile(options.path)
  const guard = new GuardFile(options.path)
  try {
    const isNew = !existsSync(options.path)
    const db = openFile(options.path)
    if (isNew) chmodSync(options.path, 0o600)
    db.exec('PRAGMA synchronous = FULL')
    migrateSqlite(db)
    const start = startDeployment(db, {
      serverName: options.serverName,
      randomBytes: options.randomBytes,
      markBeside: guard.mark,
      keepMark: (mark) => guard.keep(mark),
    })
    // That it is open must stand in the file itself, so that a copy of it without its log is known as one.
    db.exec('PRAGMA wal_checkpoint(PASSIVE)')
    for (const mended of start.mended) (options.log ?? silentLogger).warn('counter_mended', { mended })
    return new SqliteDatabase({ db, guard, start, options })
  } catch (error) {
    guard[Symbol.dispose]()
    throw error
  }
}

/** Looks at a file before anything is written to it or beside it: one that is not Myelin's stays as it is. */
function refuseWrongFile(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return
  try {
    using db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
    pendingMigrations(schemaState(db), readMigrations())
  } catch (error) {
    throw error instanceof DatabaseRefused ? error : cannotOpen(path, error)
  }
}

function openFile(path: string): DatabaseSync {
  try {
    const db = new DatabaseSync(path, { timeout: 5000 })
    db.exec('PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -32768')
    return db
  } catch (cause) {
    throw cannotOpen(path, cause)
  }
}

function cannotOpen(path: string, cause: unknown): DatabaseRefused {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new DatabaseRefused(`${path} cannot be opened as a SQLite database: ${reason}`, { cause })
}

type Parts = {
  readonly db: DatabaseSync
  readonly guard: GuardFile
  readonly start: Database['start']
  readonly options: SqliteOptions
}

class SqliteDatabase implements Database {
  readonly start: Database['start']
  readonly description: string
  readonly outage = undefined
  readonly #db: DatabaseSync
  readonly #guard: GuardFile
  readonly #writer: SqliteWriter
  readonly #checkpointer: Checkpointer
  readonly #texts = new QueryTexts('sqlite')
  readonly #statements = new Map<string, StatementSync>()

  constructor({ db, guard, start, options }: Parts) {
    this.#db = db
    this.#guard = guard
    this.start = start
    this.description = `SQLite ${sqliteVersion(db)}`
    db.exec('PRAGMA query_only = ON')
    this.#writer = new SqliteWriter({ path: options.path, synchronous: options.synchronous })
    this.#checkpointer = new Checkpointer({
      data: { path: options.path, maxLogBytes: MAX_LOG_BYTES },
      clock: options.clock,
      finish: () => this.#writer.checkpoint(),
    })
  }

  async all<Out>(codec: RowCodec<Out>, query: Query): Promise<Out[]> {
    const rows = this.#statement(query).all(...(this.#texts.valuesOf(query) as string[]))
    return rows.map((values) => codec.decode(values as unknown as unknown[]))
  }

  async get<Out>(codec: RowCodec<Out>, query: Query): Promise<Out | undefined> {
    const values = this.#statement(query).get(...(this.#texts.valuesOf(query) as string[]))
    return values === undefined ? undefined : codec.decode(values as unknown as unknown[])
  }

  async write(batch: Batch): Promise<BatchResult> {
    const result = await this.#writer.write(batch)
    this.#checkpointer.written()
    return result
  }

  #statement(query: Query): StatementSync {
    const text = this.#texts.textOf(query)
    const known = this.#statements.get(text)
    if (known !== undefined) return known
    const statement = this.#db.prepare(text)
    statement.setReturnArrays(true)
    this.#statements.set(text, statement)
    return statement
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]()
    await this.#checkpointer[Symbol.asyncDispose]()
    this.#db.exec('PRAGMA query_only = OFF')
    closeDeployment(this.#db)
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    this.#db.close()
    this.#guard[Symbol.dispose]()
  }
}

const sqliteVersion = (db: DatabaseSync): string => String(db.prepare('SELECT sqlite_version() AS v').get()?.['v'])
