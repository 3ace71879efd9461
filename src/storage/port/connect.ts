import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import type pg from 'pg'
import { Connector } from '#storage/postgres/connector.ts'
import { steadyClock } from '#util/clock.ts'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import { silentLogger } from '#util/logger.ts'

/** How to reach a database; plain data, so that it can go to another thread. */
export type Place = SqlitePlace | PostgresPlace
/** A SQLite file. `isImmutable`: nobody writes to it, so it can be read without a lock and without files beside it. */
export type SqlitePlace = { readonly engine: 'sqlite'; readonly path: string; readonly isImmutable: boolean }
/** A PostgreSQL database. */
export type PostgresPlace = {
  readonly engine: 'postgres'
  readonly parameters: ConnectionParameters
  readonly allowsUnsafeLocale: boolean
}

const READ_CACHE = 'PRAGMA cache_size = -8192'
/** How long one address may take to answer, where `connect_timeout` says nothing. */
const CONNECT_MS = 30_000

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
  { parameters }: PostgresPlace,
  options: { readonly isPipelined: boolean },
): Promise<pg.Client> => {
  const connector = new Connector({
    parameters: { ...parameters, applicationName: 'myelin port' },
    statementTimeoutMs: undefined,
    isCommitSynchronous: false,
    patienceMs: CONNECT_MS,
    clock: steadyClock,
    log: silentLogger,
  })
  const { client } = await connector.connect({ name: 'port', isPipelined: options.isPipelined })
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
