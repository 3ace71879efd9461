import type pg from 'pg'
import type { CheckOptions, CheckReport, Finding } from '#storage/check/finding.ts'
import * as found from '#storage/check/findings.ts'
import { examine } from '#storage/counters/at-start.ts'
import { DatabaseRefused } from '#storage/database.ts'
import { pendingMigrations, readMigrations } from '#storage/migrate.ts'
import { wrongServerName } from '#storage/wrong-database.ts'
import { steadyClock } from '#util/clock.ts'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import { silentLogger } from '#util/logger.ts'
import { runAsking } from './ask.ts'
import { checkIndexes } from './check-indexes.ts'
import { checkRights, toldOfRights } from './check-rights.ts'
import { checkSettings } from './check-settings.ts'
import { checkTables } from './check-tables.ts'
import { checkServer } from './checks.ts'
import { Connector } from './connector.ts'
import { boundsOf } from './heartbeat.ts'
import { schemaState } from './schema.ts'

/** Checks a database without changing it. It works while a server uses it. Throws `DatabaseUnavailable` where it cannot be reached. */
export const checkPostgres = async (parameters: ConnectionParameters, options: CheckOptions): Promise<CheckReport> => {
  const connector = new Connector({
    parameters,
    statementTimeoutMs: undefined,
    isCommitSynchronous: true,
    patienceMs: boundsOf(parameters).silenceMs,
    clock: steadyClock,
    log: silentLogger,
  })
  const { client } = await connector.connect({ name: 'check' })
  try {
    // One view of everything, whatever servers write meanwhile.
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    return await check(client, options)
  } finally {
    await client.end()
  }
}

async function check(client: pg.Client, options: CheckOptions): Promise<CheckReport> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version') AS version, current_database() AS name, pg_database_size(current_database()) AS bytes`,
  )
  const { version, name } = rows[0]
  const bytes = Number(rows[0].bytes)
  const database = `PostgreSQL ${version}, ${name}`
  try {
    const { warnings } = await checkServer(client, true)
    await checkRights(client)
    const { findings: contents, isOurs } = await checkContents(client, options)
    const settings = await checkSettings(client, bytes, options)
    const tables = isOurs ? await checkTables(client, options) : { findings: [], tables: [] }
    const indexes = isOurs
      ? await checkIndexes(client, {
          databaseBytes: bytes,
          isFull: options.isFull,
          isCollationChanged: warnings.length > 0,
        })
      : []
    const findings = [
      ...warnings.map((reason) => found.unsafeServer({ reason })),
      ...contents,
      ...settings.findings,
      ...tables.findings,
      ...indexes,
    ]
    return { database, bytes, findings, tables: tables.tables, settings: settings.settings }
  } catch (thrown) {
    const error = toldOfRights(thrown)
    if (!(error instanceof DatabaseRefused)) throw error
    return { database, bytes, findings: [found.refused({ reason: error.message })], tables: [], settings: [] }
  }
}

type Contents = { readonly findings: readonly Finding[]; readonly isOurs: boolean }

async function checkContents(client: pg.Client, { serverName, isFull }: CheckOptions): Promise<Contents> {
  const state = await schemaState(client)
  if (state.kind === 'empty') return { findings: [found.empty({})], isOurs: false }
  const pending = pendingMigrations(state, readMigrations())
  if (pending.length > 0) return { findings: [found.migrationsDue({ count: pending.length })], isOurs: true }
  const { rows } = await client.query('SELECT server_name FROM deployment')
  const owner = rows[0]?.server_name
  if (owner !== undefined && owner !== serverName) throw wrongServerName(owner, serverName)
  const damages = await runAsking(client, examine('postgres', { kind: isFull ? 'every row' : 'all rooms' }))
  return {
    findings: damages.map((damage) =>
      damage.safe === undefined ? found.counterWrong(damage) : found.counterMendable(damage),
    ),
    isOurs: true,
  }
}
