import type pg from 'pg'
import { DatabaseRefused } from '#storage/database.ts'
import { PORT_TABLE } from '#storage/migrate.ts'
import { runAsking } from '#storage/postgres/ask.ts'
import { checkRights } from '#storage/postgres/check-rights.ts'
import { checkServer } from '#storage/postgres/checks.ts'
import { COMMIT_LOCK } from '#storage/postgres/commit-function.ts'
import { migratePostgres } from '#storage/postgres/schema.ts'
import type { Books } from './books.ts'
import { readCatalogue, type Table } from './catalogue.ts'
import { quoted } from './expressions.ts'
import { postgresIndexes } from './postgres-side.ts'
import { refuseTarget } from './refusals.ts'
import { type Settled, settleBooks } from './settle.ts'
import type { IndexDefinition } from './sqlite-side.ts'

/** Held by the one port that may write to the database, for as long as its main connection lives. */
const PORT_LOCK = '1299799404, 3'
/** Shared by all connections of a port that write: the next port waits until those of a killed one are gone. */
const WRITER_LOCK = '1299799404, 4'
const WAIT_MS = 60_000

/** A database that is ready to be copied into. */
export type PreparedTarget = { readonly tables: readonly Table[]; readonly indexes: readonly IndexDefinition[] }

/** Takes the database for a port: checks it, makes its tables, and marks it so that no server starts on it. */
export const beginPostgresTarget = async (
  client: pg.Client,
  { books, allowsUnsafeLocale }: { readonly books: Books; readonly allowsUnsafeLocale: boolean },
): Promise<PreparedTarget & { readonly warnings: readonly string[] }> => {
  await takeLocks(client)
  const { warnings } = await checkServer(client, allowsUnsafeLocale)
  await checkRights(client)
  await migratePostgres(client, { forPort: true })
  await client.query('BEGIN')
  try {
    await client.query(`SELECT ${COMMIT_LOCK}`)
    const tables = await readCatalogue(client)
    const known = await knownIndexes(client)
    if (known === undefined) await checkFree(client, tables, books)
    const indexes = known ?? (await postgresIndexes(client))
    if (known === undefined) {
      await client.query(
        `CREATE TABLE ${PORT_TABLE} (id SMALLINT PRIMARY KEY, server_name TEXT NOT NULL, indexes TEXT NOT NULL)`,
      )
      await client.query(`INSERT INTO ${PORT_TABLE} VALUES (1, $1, $2)`, [books.serverName, JSON.stringify(indexes)])
    } else await checkSameServer(client, books)
    await dropCommitFunctions(client)
    await client.query('COMMIT')
    return { tables, indexes, warnings }
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** Shows the port's hand to the next port, on a connection that writes. */
export const shareWriterLock = async (client: pg.Client): Promise<void> => {
  await client.query(`SELECT pg_advisory_lock_shared(${WRITER_LOCK})`)
}

async function takeLocks(client: pg.Client): Promise<void> {
  // Of a port that was just killed the server may not know yet.
  await client.query(`SET lock_timeout = ${WAIT_MS}`)
  try {
    const deadline = `SELECT pg_try_advisory_lock(${PORT_LOCK}) AS taken`
    for (let tries = 0; (await client.query(deadline)).rows[0].taken !== true; tries++) {
      if (tries >= 20)
        throw new DatabaseRefused('Another port into this database is running. Wait until it is done, or stop it.')
      await client.query('SELECT pg_sleep(0.25)')
    }
    await client.query(`SELECT pg_advisory_lock(${WRITER_LOCK}), pg_advisory_unlock(${WRITER_LOCK})`)
  } finally {
    await client.query('SET lock_timeout = 0')
  }
}

async function knownIndexes(client: pg.Client): Promise<IndexDefinition[] | undefined> {
  const found = await client.query('SELECT to_regclass($1) AS name', [PORT_TABLE])
  if (found.rows[0].name === null) return undefined
  const { rows } = await client.query(`SELECT indexes FROM ${PORT_TABLE}`)
  return JSON.parse(String(rows[0].indexes))
}

async function checkSameServer(client: pg.Client, books: Books): Promise<void> {
  const { rows } = await client.query(`SELECT server_name FROM ${PORT_TABLE}`)
  refuseTarget({ books, serverName: String(rows[0].server_name), mark: undefined, isRunning: false })
}

async function checkFree(client: pg.Client, tables: readonly Table[], books: Books): Promise<void> {
  const { rows } = await client.query('SELECT server_name, mark FROM deployment')
  const [row] = rows
  if (row !== undefined) {
    const running = await client.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND application_name LIKE 'myelin%' AND application_name <> 'myelin port' LIMIT 1`,
    )
    refuseTarget({ books, serverName: row.server_name, mark: row.mark, isRunning: running.rows.length > 0 })
    return
  }
  for (const { name } of tables) {
    const found = await client.query(`SELECT 1 FROM ${quoted(name)} LIMIT 1`)
    if (found.rows.length > 0) {
      throw new DatabaseRefused(
        `The database to copy into has rows in ${name}, but belongs to no server. Give the port an empty database.`,
      )
    }
  }
}

/** Should a server run on the database after all, it cannot commit from now on. The next start makes the function anew. */
async function dropCommitFunctions(client: pg.Client): Promise<void> {
  const { rows } = await client.query(
    `SELECT p.oid::regprocedure::text AS name FROM pg_proc AS p
     WHERE p.pronamespace = current_schema()::text::regnamespace AND p.proname LIKE 'myelin\\_commit\\_%'`,
  )
  for (const { name } of rows) await client.query(`DROP FUNCTION ${name}`)
}

/**
 * Writes the books and takes the mark away, in one transaction that is on the disk when this returns: a server may start now. Where a server
 * would refuse to, because of counters, all stays as it was.
 */
export const finishPostgresTarget = async (client: pg.Client, books: Books, randomHex: string): Promise<Settled> => {
  const { isExact, fingerprintKey } = books
  await client.query('SET synchronous_commit = on')
  await client.query('BEGIN')
  try {
    await client.query(`SELECT ${COMMIT_LOCK}`)
    await client.query('DELETE FROM numbers')
    await client.query('INSERT INTO numbers (name, next) SELECT * FROM unnest($1::text[], $2::bigint[])', [
      Object.keys(books.numbers),
      Object.values(books.numbers),
    ])
    await client.query('DELETE FROM deployment')
    await client.query(
      `INSERT INTO deployment (id, server_name, incarnation, last_position, ceiling, fingerprint_key, closed_cleanly, mark, started_at)
       VALUES (1, $1, $2, $3, $4, $5, $6, '', CASE WHEN $6 THEN pg_postmaster_start_time()::text ELSE '' END)`,
      [books.serverName, books.incarnation, books.lastPosition, books.ceiling, Buffer.from(fingerprintKey), isExact],
    )
    const settled = await runAsking(client, settleBooks('postgres', { isExact, randomHex }))
    if (settled.left.length === 0) await client.query(`DROP TABLE ${PORT_TABLE}`)
    await client.query(settled.left.length === 0 ? 'COMMIT' : 'ROLLBACK')
    return settled
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    throw error
  }
}
