import type pg from 'pg'
import { examine, mendCounters } from '#storage/counters/at-start.ts'
import { CEILING_STEP } from '#storage/counters/declared.ts'
import { PORT_MARK } from '#storage/database.ts'
import { judgeTables, pendingMigrations, readMigrations, type SchemaState, schemaRow } from '#storage/migrate.ts'
import { wrongServerName } from '#storage/wrong-database.ts'
import { runAsking } from './ask.ts'
import { COMMIT_LOCK } from './commit-function.ts'
import { postgresDdl } from './ddl.ts'

/** What a start needs to know of the deployment. */
export type PostgresStart = { readonly serverName: string; readonly randomBytes: (size: number) => Uint8Array }

/** What the database says of its schema. */
export async function schemaState(client: pg.Client): Promise<SchemaState> {
  const { rows } = await client.query<{ name: string }>(
    // Tables of extensions are nobody's data.
    `SELECT c.relname AS name FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY (current_schemas(false))
       AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`,
  )
  return runAsking(client, judgeTables(new Set(rows.map(({ name }) => name))))
}

/** Brings the schema up to date in one transaction, one process at a time. */
export const migratePostgres = async (
  client: pg.Client,
  options: { readonly forPort?: boolean } = {},
): Promise<void> => {
  await client.query('BEGIN')
  try {
    // An index of a large table takes as long as it takes.
    await client.query('SET LOCAL statement_timeout = 0')
    await client.query(`SELECT ${COMMIT_LOCK}`)
    const pending = pendingMigrations(await schemaState(client), readMigrations(), options)
    if (pending.length > 0) {
      await client.query(
        'CREATE TABLE IF NOT EXISTS myelin_schema (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, compatible_with INTEGER NOT NULL, half_made BOOLEAN NOT NULL)',
      )
      for (const migration of pending) {
        for (const statement of migration.statements) await client.query(postgresDdl(statement))
      }
      await client.query(
        `INSERT INTO myelin_schema VALUES (1, $1, $2, false)
         ON CONFLICT (id) DO UPDATE SET version = excluded.version, compatible_with = excluded.compatible_with, half_made = false`,
        [schemaRow.version, schemaRow.compatibleWith],
      )
    }
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

/** Where the log goes on, and what was wrong with counters and is mended, in sentences. */
export type PostgresDeployment = {
  readonly position: number
  readonly incarnation: number
  readonly mended: readonly string[]
}

/** Opens the deployment's books: checks the server name and the counters, and notices a restored copy. */
export const startPostgresDeployment = async (
  client: pg.Client,
  { serverName, randomBytes }: PostgresStart,
): Promise<PostgresDeployment> => {
  const found = await client.query('SELECT server_name FROM deployment')
  const owner = found.rows[0]?.server_name
  if (owner !== undefined && owner !== serverName) throw wrongServerName(owner, serverName)
  const mended = await mend(client, (randomBytes(1)[0] ?? 0) / 256)
  const mark = await databaseMark(client)
  const incarnation = Buffer.from(randomBytes(5)).readUIntBE(0, 5)
  await client.query(
    `INSERT INTO deployment (id, server_name, incarnation, last_position, ceiling, mark, started_at, closed_cleanly, fingerprint_key)
     VALUES (1, $1, $2, 0, $3, $4, pg_postmaster_start_time()::text, false, $5) ON CONFLICT DO NOTHING`,
    [serverName, incarnation, CEILING_STEP, mark, Buffer.from(randomBytes(32))],
  )
  const { rows } = await client.query('SELECT server_name, mark FROM deployment')
  // Another process with another name may have been first.
  if (rows[0].server_name !== serverName) throw wrongServerName(rows[0].server_name, serverName)
  if (String(rows[0].mark).startsWith(PORT_MARK)) {
    // Fresh from a port: it goes on where the other database stopped.
    await client.query(
      'UPDATE deployment SET mark = $1, started_at = pg_postmaster_start_time()::text, closed_cleanly = false',
      [mark],
    )
  } else if (rows[0].mark !== mark) {
    // A copy or a restored backup: positions above its last one were given by the original.
    await client.query(
      'UPDATE deployment SET mark = $1, incarnation = $2, last_position = ceiling, ceiling = ceiling + $3',
      [mark, incarnation, CEILING_STEP],
    )
  }
  const now = await client.query('SELECT last_position, incarnation FROM deployment')
  return { position: Number(now.rows[0].last_position), incarnation: Number(now.rows[0].incarnation), mended }
}

/** Checks the counters against the tables, and mends what can be mended safely. Only then are other processes kept from writing. */
async function mend(client: pg.Client, random: number): Promise<readonly string[]> {
  if ((await runAsking(client, examine('postgres', { kind: 'start', random }))).length === 0) return []
  await client.query('BEGIN')
  try {
    await client.query(`SELECT ${COMMIT_LOCK}`)
    const mended = await runAsking(client, mendCounters('postgres', random))
    await client.query('COMMIT')
    return mended
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  }
}

/** What differs between a database and any copy of it: the cluster, its time line, the database's number. */
async function databaseMark(client: pg.Client): Promise<string> {
  const { rows } = await client.query(
    `SELECT s.system_identifier::text || '/' || c.timeline_id || '/' || d.oid AS mark
     FROM pg_control_system() AS s, pg_control_checkpoint() AS c, pg_database AS d WHERE d.datname = current_database()`,
  )
  return String(rows[0].mark)
}
