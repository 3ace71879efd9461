import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { TestPlace } from './each-database.ts'

/** Runs SQL on a database behind the server's back, statements ending lines with `;`, and gives the rows of the last one. */
export async function runSql(place: TestPlace, sql: string): Promise<readonly Record<string, unknown>[]> {
  if (place.path !== undefined) {
    using db = new DatabaseSync(place.path)
    const statements = sql.split(/;(?:\n|$)/).filter((one) => one.trim() !== '')
    return statements.map((one) => db.prepare(one).all()).at(-1) ?? []
  }
  return withClient(place, async (client) => {
    const result: unknown = await client.query(sql)
    return (Array.isArray(result) ? result.at(-1) : result).rows
  })
}

/** A connection of a test's own to the database. */
export async function withClient<T>(place: TestPlace, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: place.uri })
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
