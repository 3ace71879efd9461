import type { DatabaseSync } from 'node:sqlite'
import type pg from 'pg'
import { DatabaseRefused } from '#storage/database.ts'

/** What a deployment knows of itself: the row of `deployment` and the counters of `numbers`. Numbers are in decimal digits: a damaged one may be larger than a number can hold. */
export type Books = {
  readonly serverName: string
  readonly incarnation: string
  readonly lastPosition: string
  readonly ceiling: string
  /** No position above the last one was given. After a crash only the ceiling says what cannot have been given. */
  readonly isExact: boolean
  readonly fingerprintKey: Uint8Array
  readonly numbers: Readonly<Record<string, string>>
}

type Ask = (sql: string) => Promise<readonly (readonly unknown[])[]>

const askSqlite =
  (db: DatabaseSync): Ask =>
  async (sql) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement.all() as unknown as unknown[][]
  }

const askPostgres =
  (client: pg.Client): Ask =>
  async (sql) =>
    (await client.query({ text: sql, rowMode: 'array' })).rows

/** The books of a SQLite file; `undefined` where no server has run on it, and no port into it was finished. */
export const readSqliteBooks = (db: DatabaseSync): Promise<Books | undefined> =>
  readBooks(askSqlite(db), 'closed_cleanly')

/** The books of a PostgreSQL database; `undefined` as with a file. */
export const readPostgresBooks = (client: pg.Client): Promise<Books | undefined> =>
  readBooks(askPostgres(client), 'closed_cleanly OR started_at = pg_postmaster_start_time()::text')

/** The books of a source, which must have some. */
export const needed = (books: Books | undefined): Books => {
  if (books === undefined) throw new DatabaseRefused('No server has run on the source yet: there is nothing to copy.')
  return books
}

async function readBooks(ask: Ask, isExact: string): Promise<Books | undefined> {
  const [row] = await ask(
    `SELECT server_name, CAST(incarnation AS TEXT), CAST(last_position AS TEXT), CAST(ceiling AS TEXT), fingerprint_key,
       CASE WHEN ${isExact} THEN 1 ELSE 0 END FROM deployment`,
  )
  if (row === undefined) return undefined
  const numbers = await ask('SELECT name, CAST(next AS TEXT) FROM numbers ORDER BY name')
  return {
    serverName: String(row[0]),
    incarnation: String(row[1]),
    lastPosition: String(row[2]),
    ceiling: String(row[3]),
    fingerprintKey: row[4] as Uint8Array,
    isExact: row[5] === 1,
    numbers: Object.fromEntries(numbers.map(([name, next]) => [String(name), String(next)])),
  }
}
