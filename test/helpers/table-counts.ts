import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'

/** Where a test may look into a database behind the server's back. */
export type Peek = { readonly file: string } | { readonly client: pg.ClientConfig }

/** Rows by table, but of those that tell of the past of the deployment. */
export const tableCounts = async (at: Peek): Promise<Record<string, number>> => {
  const found: [string, number][] = []
  if ('file' in at) {
    using db = new DatabaseSync(at.file, { readOnly: true })
    const names = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all()
    for (const { name } of names)
      found.push([String(name), Number(db.prepare(`SELECT count(*) AS n FROM "${name}"`).get()?.['n'])])
  } else {
    await withClient(at.client, async (client) => {
      const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
      for (const { tablename } of rows)
        found.push([tablename, Number((await client.query(`SELECT count(*) AS n FROM "${tablename}"`)).rows[0].n)])
    })
  }
  return Object.fromEntries(found.filter(([table]) => !PAST.has(table)).sort())
}

const PAST = new Set(['commits', 'tasks', 'transactions'])

/** Lends a connection. */
export const withClient = async <T>(config: pg.ClientConfig, use: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client(config)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}
