import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type pg from 'pg'
import { type ConnectionOptions, connect } from '#storage/postgres/connection.ts'

/** How to reach a database; plain data, so that it can go to another thread. */
export type Place = SqlitePlace | PostgresPlace
/** A SQLite file. `isImmutable`: nobody writes to it, so it can be read without a lock and without files beside it. */
export type SqlitePlace = { readonly engine: 'sqlite'; readonly path: string; readonly isImmutable: boolean }
/** A PostgreSQL database. */
export type PostgresPlace = { readonly engine: 'postgres'; readonly connection: ConnectionOptions }

const READ_CACHE = 'PRAGMA cache_size = -65536'

/** Opens a file to read it. Nothing that is done through it changes the file. */
export const openToRead = ({ path, isImmutable }: SqlitePlace): DatabaseSync => {
  const url = pathToFileURL(path)
  if (isImmutable) url.search = '?immutable=1'
  const db = new DatabaseSync(url, { readOnly: true, timeout: 10_000 })
  db.exec(READ_CACHE)
  return db
}

/** Opens the file that is copied into. */
export const openToWrite = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: 60_000 })
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; ${READ_CACHE}`)
  return db
}

/**
 * Connects to PostgreSQL as the port does. What it writes need not reach the disk at once: the last step, which ends the port, waits
 * for the disk, and all that was written before is there then.
 */
export const connectToPort = async (
  { connection }: PostgresPlace,
  options: { readonly isPipelined: boolean },
): Promise<pg.Client> => {
  const client = await connect(connection, { name: 'port', pipeline: options.isPipelined })
  const settings = [
    'statement_timeout = 0',
    'idle_in_transaction_session_timeout = 0',
    'synchronous_commit = off',
    'client_min_messages = error',
    'jit = off',
    "maintenance_work_mem = '256MB'",
  ]
  for (const setting of settings) await client.query(`SET ${setting}`)
  return client
}
