import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { test } from 'node:test'
import pg from 'pg'
import type { Change, Outcome } from '#storage/change.ts'
import { type CommittedBatch, Committer } from '#storage/commit.ts'
import type { Database } from '#storage/database.ts'
import { connectionParameters } from '#storage/postgres/from-arguments.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { openSqlite } from '#storage/sqlite/open.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { systemClock } from '#util/clock.ts'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import { type Logger, silentLogger } from '#util/logger.ts'

/** A database of a test's own, and how to write to it. */
export type TestDatabase = AsyncDisposable & {
  readonly db: Database
  readonly commit: (change: Change) => Promise<Outcome>
  /** What was committed so far. */
  readonly batches: readonly CommittedBatch[]
  /** What opening it warned of, by the first field of each line. */
  readonly warnings: readonly string[]
}

/** A database that can be closed and opened again. */
export type TestPlace = AsyncDisposable & {
  readonly kind: string
  readonly open: (options?: { readonly serverName?: string }) => Promise<TestDatabase>
  /** The SQLite file, where it is one. */
  readonly path: string | undefined
  /** Where the PostgreSQL database is, where it is one. */
  readonly uri: string | undefined
}

const variables: Readonly<Record<string, string | undefined>> = {
  'PostgreSQL (newest)': env['MYELIN_TEST_POSTGRES'],
  'PostgreSQL (oldest)': env['MYELIN_TEST_POSTGRES_OLDEST'],
}

/** Runs the test on a fresh database of every kind that is there: SQLite always, PostgreSQL where the test run started it. */
export const eachDatabase = (name: string, body: (test: TestDatabase) => Promise<void>): void =>
  eachPlace(name, async (place) => {
    await using database = await place.open()
    await body(database)
  })

/** As `eachDatabase`, for tests that open and close the database themselves. */
export const eachPlace = (name: string, body: (place: TestPlace) => Promise<void>): void => {
  test(`${name} (SQLite)`, async () => {
    await using place = sqlitePlace()
    await body(place)
  })
  for (const [kind, uri] of Object.entries(variables)) {
    const skip = uri === undefined ? 'no PostgreSQL: run it by npm test' : false
    test(`${name} (${kind})`, { skip }, async () => {
      await using place = await postgresPlace(kind, uri ?? '')
      await body(place)
    })
  }
}

/** A place for a SQLite file in a temporary folder. */
export const sqlitePlace = (): TestPlace => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-test-'))
  const path = join(folder, 'homeserver.db')
  return {
    kind: 'SQLite',
    path,
    uri: undefined,
    open: async ({ serverName = 'example.org' } = {}) => {
      const { log, warnings } = warningLog()
      const options = { path, serverName, synchronous: 'OFF', randomBytes, clock: systemClock, log } as const
      return withCommitter(openSqlite(options), warnings)
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** A fresh PostgreSQL database on the server that `uri` names. */
export const postgresPlace = async (kind: string, uri: string): Promise<TestPlace & { readonly uri: string }> => {
  const name = `test_${randomBytes(8).toString('hex')}`
  await administer(uri, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'`)
  const own = new URL(uri)
  own.pathname = `/${name}`
  return {
    kind,
    path: undefined,
    uri: own.href,
    open: async ({ serverName = 'example.org' } = {}) => {
      const { log, warnings } = warningLog()
      const parameters = parametersOf(own.href)
      return withCommitter(
        await openPostgres({ parameters, serverName, randomBytes, clock: systemClock, log }),
        warnings,
      )
    },
    [Symbol.asyncDispose]: () => administer(uri, `DROP DATABASE ${name} WITH (FORCE)`),
  }
}

/** What a connection to a server of the tests takes, whatever the environment says. */
export const parametersOf = (uri: string): ConnectionParameters =>
  connectionParameters({ dsn: uri }, { postgres: {}, home: '/nonexistent' })

async function administer(uri: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: uri })
  await client.connect()
  await client.query(statement)
  await client.end()
}

function warningLog(): { readonly log: Logger; readonly warnings: readonly string[] } {
  const warnings: string[] = []
  const warn: Logger['warn'] = (_, fields = {}) => void warnings.push(String(Object.values(fields)[0]))
  return { log: { ...silentLogger, warn }, warnings }
}

function withCommitter(db: Database, warnings: readonly string[]): TestDatabase {
  const batches: CommittedBatch[] = []
  const committer = new Committer({
    database: db,
    operations: OPERATIONS,
    randomBytes,
    onCommitted: (batch) => batches.push(batch),
  })
  return {
    db,
    commit: committer.commit,
    batches,
    warnings,
    [Symbol.asyncDispose]: async () => {
      await committer[Symbol.asyncDispose]()
      await db[Symbol.asyncDispose]()
    },
  }
}
