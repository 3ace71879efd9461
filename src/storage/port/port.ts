import type { DatabaseSync } from 'node:sqlite'
import { examine } from '#storage/counters/at-start.ts'
import type { Damage } from '#storage/counters/damage.ts'
import type { Asking, Dialect } from '#storage/counters/facts.ts'
import { DatabaseRefused } from '#storage/database.ts'
import { runAsking as askPostgres } from '#storage/postgres/ask.ts'
import { runAsking as askSqlite } from '#storage/sqlite/ask.ts'
import { type Books, needed, readPostgresBooks, readSqliteBooks } from './books.ts'
import { checkTables, readCatalogue, type Table } from './catalogue.ts'
import { type CounterPair, compareBooks } from './compare-books.ts'
import { connectToPort, openToRead, type PostgresPlace } from './connect.ts'
import type { Settled } from './settle.ts'
import { SnapshotControl } from './snapshot.ts'
import { SourceFile } from './source-file.ts'
import type { TableProgress, TableResult } from './table-run.ts'
import { beginPostgresTarget, finishPostgresTarget } from './target-postgres.ts'
import { TargetFile } from './target-sqlite.ts'
import { Workers } from './workers.ts'

/** What to port. `direction`: which of the two is copied from. */
export type PortOptions = {
  readonly sqlitePath: string
  readonly postgres: PostgresPlace
  readonly direction: 'to postgres' | 'to sqlite'
  /** The server both databases must belong to. */
  readonly serverName: string
  readonly onlyVerify: boolean
  readonly batchSize?: number | undefined
  readonly threads: number
  readonly randomBytes: (size: number) => Uint8Array
  readonly on: (event: PortEvent) => void
}

/** What is told while it goes on. */
export type PortEvent =
  | { readonly kind: 'step'; readonly text: string }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'counted'; readonly rows: ReadonlyMap<string, number> }
  | { readonly kind: 'progress'; readonly progress: TableProgress }

/** How it ended. `isFinished`: a server may start on the target. */
export type PortReport = {
  readonly tables: readonly TableResult[]
  /** What was wrong with counters and is mended in the target, in sentences. */
  readonly mended: readonly string[]
  /** What is wrong with counters, of the target where it was only looked at, and otherwise of the source: then the port is not finished. */
  readonly wrongCounters: readonly Damage[]
  /** The counters of both sides; none while the target has none, because the port is not finished. */
  readonly counters: readonly CounterPair[]
  readonly isFinished: boolean
  readonly isEqual: boolean
  readonly hasOddities: boolean
}

/** Makes one database equal to another and makes sure that it is; only looks, where it is only to verify. */
export const port = (options: PortOptions): Promise<PortReport> =>
  options.direction === 'to postgres' ? toPostgres(options) : toSqlite(options)

async function toPostgres(options: PortOptions): Promise<PortReport> {
  const { on, postgres, onlyVerify } = options
  on({ kind: 'step', text: `Preparing ${options.sqlitePath}` })
  using file = SourceFile.open(options.sqlitePath)
  noteCondition(file, on)
  on({ kind: 'step', text: 'Preparing PostgreSQL' })
  const client = await connectToPort(postgres, { isPipelined: false })
  try {
    using control = new SnapshotControl(file.place)
    const early = await ownBooks(control.db, options.serverName)
    const { tables, indexes, warnings } = onlyVerify
      ? { tables: await readCatalogue(client), indexes: [], warnings: [] }
      : await beginPostgresTarget(client, { books: early, allowsUnsafeLocale: postgres.allowsUnsafeLocale })
    for (const text of warnings) on({ kind: 'note', text })
    if (tables.length === 0) throw new DatabaseRefused('Nothing was ported into this database yet.')
    checkTables(control.db, tables)
    const data = { source: file.place, target: postgres, tables, indexes, onlyVerify, batchSize: options.batchSize }
    await using workers = new Workers(options.threads, data, (progress) => on({ kind: 'progress', progress }))
    await control.share(() => workers.begin(undefined))
    const results = await copy(workers, tables, options)
    const books = needed(await readSqliteBooks(control.db))
    file.checkUnchanged()
    return await finish(options, results, {
      source: books,
      target: () => readPostgresBooks(client),
      settle: () => finishPostgresTarget(client, books, hex(options)),
      look: () => askPostgres(client, lookAtCounters('postgres')),
    })
  } finally {
    await client.end()
  }
}

async function toSqlite(options: PortOptions): Promise<PortReport> {
  const { on, postgres, sqlitePath, onlyVerify } = options
  on({ kind: 'step', text: 'Preparing PostgreSQL' })
  const client = await connectToPort(postgres, { isPipelined: false })
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    const { rows } = await client.query('SELECT pg_export_snapshot() AS snapshot')
    const tables = await readCatalogue(client)
    if (tables.length === 0) throw new DatabaseRefused('The PostgreSQL database is empty: there is nothing to copy.')
    const books = needed(await readPostgresBooks(client))
    checkName(books, options.serverName)
    await noteRunning(client, on)
    on({ kind: 'step', text: `Preparing ${sqlitePath}` })
    using file = onlyVerify ? undefined : new TargetFile(sqlitePath, books, tables)
    using reader = openToRead({ engine: 'sqlite', path: sqlitePath, isImmutable: false })
    checkTables(reader, tables)
    const target = { engine: 'sqlite' as const, path: sqlitePath, isImmutable: false }
    const indexes = file?.indexes ?? []
    const data = { source: postgres, target, tables, indexes, onlyVerify, batchSize: options.batchSize }
    await using workers = new Workers(options.threads, data, (progress) => on({ kind: 'progress', progress }))
    await workers.begin(String(rows[0].snapshot))
    const results = await copy(workers, tables, options)
    return await finish(options, results, {
      source: books,
      target: () => readSqliteBooks(reader),
      settle: async () => file?.finish(books, hex(options)) ?? { mended: [], left: [] },
      look: async () => askSqlite(reader, lookAtCounters('sqlite')),
    })
  } finally {
    await client.end()
  }
}

const hex = ({ randomBytes }: PortOptions): string => Buffer.from(randomBytes(16)).toString('hex')

async function copy(
  workers: Workers,
  tables: readonly Table[],
  { on, onlyVerify }: PortOptions,
): Promise<TableResult[]> {
  on({ kind: 'step', text: 'Counting rows' })
  const counts = await workers.count(tables.map(({ name }) => name))
  on({ kind: 'counted', rows: counts })
  on({ kind: 'step', text: onlyVerify ? 'Comparing' : 'Copying' })
  const results = await workers.run(counts)
  await workers.end()
  return results
}

/** The counters of a target: ended by a port, or only looked at. */
type Counters = {
  readonly source: Books
  readonly target: () => Promise<Books | undefined>
  readonly settle: () => Promise<Settled>
  readonly look: () => Promise<readonly Damage[] | undefined>
}

/** Holds the counters against the tables that are there now, and ends the port if all is well. */
async function finish(
  { on, onlyVerify }: PortOptions,
  results: readonly TableResult[],
  { source, target, settle, look }: Counters,
): Promise<PortReport> {
  const isEqual = results.every(({ differences }) => differences.count === 0)
  const isComplete = results.every(({ impossible }) => impossible === 0)
  const mayEnd = !onlyVerify && isEqual && isComplete
  if (mayEnd || onlyVerify) on({ kind: 'step', text: 'Checking counters' })
  const seen = onlyVerify ? await look() : []
  if (seen === undefined) on({ kind: 'note', text: 'The port into this database is not finished: run it once more.' })
  const { mended, left } = mayEnd ? await settle() : { mended: [], left: seen ?? [] }
  const books = mayEnd || onlyVerify ? await target() : undefined
  return {
    tables: results,
    mended,
    wrongCounters: left,
    counters: books === undefined ? [] : compareBooks(source, books),
    isFinished: mayEnd && left.length === 0,
    isEqual,
    hasOddities: results.some(({ oddities, impossible }) => oddities.count > 0 || impossible > 0),
  }
}

/** Looks at all counters; `undefined` while there are none, because a port has not finished. */
function* lookAtCounters(dialect: Dialect): Asking<readonly Damage[] | undefined> {
  const [deployment] = yield 'SELECT id FROM deployment'
  return deployment === undefined ? undefined : yield* examine(dialect, { kind: 'every row' })
}

async function ownBooks(db: DatabaseSync, serverName: string): Promise<Books> {
  const books = needed(await readSqliteBooks(db))
  checkName(books, serverName)
  return books
}

function checkName(books: Books, serverName: string): void {
  if (books.serverName === serverName) return
  throw new DatabaseRefused(
    `The database to copy from belongs to the server ${books.serverName}, but server_name in the configuration is ${serverName}.`,
  )
}

function noteCondition({ condition }: SourceFile, on: PortOptions['on']): void {
  if (condition === 'running') {
    on({
      kind: 'note',
      text: 'A server is running on the source. What it writes from now on is not copied: stop it and run this once more before you start the server on the copy.',
    })
  }
  if (condition === 'crashed') {
    on({
      kind: 'note',
      text: 'The source was not closed in order; all that its server acknowledged is in its log, and is copied.',
    })
  }
}

async function noteRunning(client: Awaited<ReturnType<typeof connectToPort>>, on: PortOptions['on']): Promise<void> {
  const { rows } = await client.query(
    `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND application_name LIKE 'myelin%' AND application_name <> 'myelin port' LIMIT 1`,
  )
  if (rows.length > 0) {
    on({
      kind: 'note',
      text: 'A server is running on the source. What it writes from now on is not copied: stop it and run this once more before you start the server on the copy.',
    })
  }
}
