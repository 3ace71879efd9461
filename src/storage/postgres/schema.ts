import type pg from 'pg'
import { DatabaseRefused, PORT_MARK } from '#storage/database.ts'
import { PORT_TABLE, pendingMigrations, readMigrations, type SchemaState, schemaRow } from '#storage/migrate.ts'
import { CEILING_STEP, COMMIT_LOCK } from './commit-function.ts'
import { postgresDdl } from './ddl.ts'

const OLDEST_MAJOR = 14

/** What a start needs to know of the deployment. */
export type PostgresStart = { readonly serverName: string; readonly randomBytes: (size: number) => Uint8Array }

/** Refuses a server that is too old and a database that cannot hold all text. */
export const checkServer = async (client: pg.Client): Promise<string> => {
  const { rows } = await client.query<{ version: string; encoding: string; name: string }>(
    `SELECT current_setting('server_version') AS version, pg_encoding_to_char(encoding) AS encoding, datname AS name
     FROM pg_database WHERE datname = current_database()`,
  )
  const found = rows[0]
  if (found === undefined) throw new DatabaseRefused('PostgreSQL did not say which database this is')
  if (Number.parseInt(found.version, 10) < OLDEST_MAJOR) {
    throw new DatabaseRefused(`Myelin needs PostgreSQL ${OLDEST_MAJOR} or later; the server is ${found.version}.`)
  }
  if (found.encoding !== 'UTF8') {
    throw new DatabaseRefused(
      `The database ${found.name} has the encoding ${found.encoding}; Myelin needs UTF8. Make it anew with: ` +
        `createdb --encoding=UTF8 --locale=C --template=template0 --owner=OWNER ${found.name}`,
    )
  }
  return found.version
}

/** What the database says of its schema. */
export async function schemaState(client: pg.Client): Promise<SchemaState> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ANY (current_schemas(false))`,
  )
  const tables = new Set(rows.map(({ name }) => name))
  if (tables.size === 0) return { kind: 'empty' }
  if (!tables.has('myelin_schema')) return { kind: tables.has('applied_schema_deltas') ? 'synapse' : 'foreign' }
  const found = await client.query('SELECT version, compatible_with, half_made FROM myelin_schema')
  const row = found.rows[0]
  if (row === undefined) return { kind: 'foreign' }
  return {
    kind: 'ours',
    version: Number(row.version),
    compatibleWith: Number(row.compatible_with),
    halfMade: Boolean(row.half_made),
    isPortUnfinished: tables.has(PORT_TABLE),
  }
}

/** Brings the schema up to date in one transaction, one process at a time. */
export const migratePostgres = async (
  client: pg.Client,
  options: { readonly forPort?: boolean } = {},
): Promise<void> => {
  await client.query('BEGIN')
  try {
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

/** Opens the deployment's books: checks the server name and notices a restored copy. */
export const startPostgresDeployment = async (
  client: pg.Client,
  { serverName, randomBytes }: PostgresStart,
): Promise<{ readonly position: number; readonly incarnation: number }> => {
  const mark = await databaseMark(client)
  const incarnation = Buffer.from(randomBytes(5)).readUIntBE(0, 5)
  await client.query(
    `INSERT INTO deployment (id, server_name, incarnation, last_position, ceiling, mark, started_at, closed_cleanly, fingerprint_key)
     VALUES (1, $1, $2, 0, $3, $4, pg_postmaster_start_time()::text, false, $5) ON CONFLICT DO NOTHING`,
    [serverName, incarnation, CEILING_STEP, mark, Buffer.from(randomBytes(32))],
  )
  const { rows } = await client.query('SELECT server_name, mark FROM deployment')
  if (rows[0].server_name !== serverName) {
    throw new DatabaseRefused(
      `The database belongs to the server ${rows[0].server_name}, but server_name is ${serverName}. A server cannot change its name.`,
    )
  }
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
  return { position: Number(now.rows[0].last_position), incarnation: Number(now.rows[0].incarnation) }
}

/** What differs between a database and any copy of it: the cluster, its time line, the database's number. */
async function databaseMark(client: pg.Client): Promise<string> {
  const { rows } = await client.query(
    `SELECT s.system_identifier::text || '/' || c.timeline_id || '/' || d.oid AS mark
     FROM pg_control_system() AS s, pg_control_checkpoint() AS c, pg_database AS d WHERE d.datname = current_database()`,
  )
  return String(rows[0].mark)
}
