import { randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { type PortEvent, type PortOptions, type PortReport, port } from '#storage/port/port.ts'
import { parametersOf } from '#storage/testing/each-database.ts'

/** What a test of the port chooses. */
export type PortTrial = {
  readonly sqlitePath: string
  readonly uri: string
  readonly direction?: PortOptions['direction']
  readonly onlyVerify?: boolean
  readonly serverName?: string
  readonly batchSize?: number
  readonly on?: (event: PortEvent) => void
}

/** Ports in this process, with two threads. */
export const runPort = (trial: PortTrial): Promise<PortReport> =>
  port({
    sqlitePath: trial.sqlitePath,
    postgres: { engine: 'postgres', parameters: parametersOf(trial.uri), allowsUnsafeLocale: false },
    direction: trial.direction ?? 'to postgres',
    serverName: trial.serverName ?? 'example.org',
    onlyVerify: trial.onlyVerify ?? false,
    batchSize: trial.batchSize,
    threads: 2,
    randomBytes,
    on: trial.on ?? (() => {}),
  })

/** Runs SQL on a PostgreSQL database, beside everything else. */
export const onPostgres = async (
  uri: string,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: uri })
  await client.connect()
  try {
    return (await client.query(sql, values)).rows
  } finally {
    await client.end()
  }
}

/** Runs work on a SQLite file that nobody has open, and leaves no log beside it. */
export const onSqlite = <T>(path: string, work: (db: DatabaseSync) => T): T => {
  const db = new DatabaseSync(path)
  try {
    return work(db)
  } finally {
    db.close()
  }
}

/** All rows of all tables that a port copies, as text, so that two databases can be compared without the port's own means. */
export const dumpSqlite = (path: string): Map<string, string[]> =>
  onSqlite(path, (db) => {
    const dump = new Map<string, string[]>()
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'").all()
    for (const { name } of tables) {
      if (SKIPPED.has(String(name))) continue
      const statement = db.prepare(`SELECT * FROM "${name}"`)
      statement.setReadBigInts(true)
      dump.set(String(name), statement.all().map(asText).sort())
    }
    return dump
  })

/** The same of a PostgreSQL database. */
export const dumpPostgres = async (uri: string): Promise<Map<string, string[]>> => {
  const client = new pg.Client({ connectionString: uri })
  await client.connect()
  const dump = new Map<string, string[]>()
  const tables = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
  for (const { tablename: name } of tables.rows) {
    if (SKIPPED.has(name)) continue
    dump.set(name, (await client.query(`SELECT * FROM "${name}"`)).rows.map(asText).sort())
  }
  await client.end()
  return dump
}

const SKIPPED = new Set(['deployment', 'commits', 'myelin_schema', 'myelin_port'])

const asText = (row: Record<string, unknown>): string =>
  JSON.stringify(
    Object.entries(row)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => [name, plain(value)]),
  )

function plain(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return String(value)
}
