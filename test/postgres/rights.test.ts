import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import pg from 'pg'
import { checkPostgres } from '#storage/postgres/check-database.ts'
import { connectionParameters } from '#storage/postgres/from-arguments.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { OLDEST_NATIVE, PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { systemClock } from '#util/clock.ts'

const ROLE = 'synapse_user'
const clusters: PostgresCluster[] = []
before(async () => {
  const hba = ['local all all trust']
  for (const wish of [{ hba }, { hba, native: OLDEST_NATIVE }]) {
    const cluster = await PostgresCluster.start(wish)
    clusters.push(cluster)
    await cluster.sql(`CREATE ROLE ${ROLE} LOGIN`, 'CREATE ROLE somebody LOGIN')
  }
})
after(async () => {
  for (const cluster of clusters) await cluster[Symbol.asyncDispose]()
})

const parametersFor = (cluster: PostgresCluster, dbname: string) =>
  connectionParameters(
    { host: cluster.sockets, port: String(cluster.port), user: ROLE, dbname },
    { postgres: {}, home: '/nonexistent' },
  )

/** What a start was refused for; `check-database` says the same. Empty where the database could be opened. */
async function refused(cluster: PostgresCluster, dbname: string): Promise<string> {
  const parameters = parametersFor(cluster, dbname)
  const options = { serverName: 'example.org', isFull: false, longTransactionSeconds: 300, memoryBytes: undefined }
  const { findings } = await checkPostgres(parameters, options)
  const found = findings.find(({ id }) => id === 'refused')
  try {
    const db = await openPostgres({ parameters, serverName: 'example.org', randomBytes, clock: systemClock })
    await db[Symbol.asyncDispose]()
    assert.equal(found, undefined)
    return ''
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'DatabaseRefused')
    assert.equal(found?.sentence, error.message)
    return error.message
  }
}

/** Does what a message says with `psql`, as the owner of PostgreSQL. */
async function obey(cluster: PostgresCluster, message: string): Promise<void> {
  const [, dbname = '', commands = ''] = /psql (\w+)((?: -c '[^']*')+)/.exec(message) ?? []
  assert.notEqual(commands, '', message)
  const client = new pg.Client({ host: cluster.sockets, port: cluster.port, user: 'postgres', database: dbname })
  await client.connect()
  for (const [, sql = ''] of commands.matchAll(/ -c '([^']*)'/g)) await client.query(sql)
  await client.end()
}

const made = async (cluster: PostgresCluster, name: string, owner: string): Promise<void> =>
  void (await cluster.sql(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' OWNER ${owner}`))

test('a database in which our role may not make tables is refused, with the commands that make it right', async () => {
  for (const cluster of clusters) {
    await made(cluster, 'given', 'postgres')
    for (const right of ['CREATE', 'ALL']) {
      await obey(
        cluster,
        `psql given -c 'REVOKE ${right} ON SCHEMA public FROM PUBLIC, ${ROLE}' -c 'ALTER DATABASE given OWNER TO postgres'`,
      )
      const message = await refused(cluster, 'given')
      assert.match(message, /role synapse_user may not make tables in the database given/)
      await obey(cluster, message)
      assert.equal(await refused(cluster, 'given'), '')
    }
  }
})

test('a database without a schema for tables is refused, with the command that makes one', async () => {
  for (const cluster of clusters) {
    await made(cluster, 'bare', ROLE)
    await obey(cluster, "psql bare -c 'DROP SCHEMA public'")
    const message = await refused(cluster, 'bare')
    assert.match(message, /search_path names no schema.*CREATE SCHEMA IF NOT EXISTS public/)
    await obey(cluster, message)
    assert.equal(await refused(cluster, 'bare'), '')
  }
})

test('tables that belong to another role are told, with the command that hands them over', async () => {
  for (const cluster of clusters) {
    await made(cluster, 'restored', ROLE)
    assert.equal(await refused(cluster, 'restored'), '')
    await obey(
      cluster,
      `psql restored -c 'REASSIGN OWNED BY ${ROLE} TO somebody' -c 'ALTER DATABASE restored OWNER TO ${ROLE}' -c 'GRANT ALL ON SCHEMA public TO ${ROLE}'`,
    )
    const message = await refused(cluster, 'restored')
    assert.match(
      message,
      /Tables of the database restored belong to somebody, not to synapse_user.*pg_restore --no-owner --role=synapse_user/,
    )
    await obey(cluster, message)
    assert.equal(await refused(cluster, 'restored'), '')
  }
})

test('tables of another program that our role may not read are no puzzle', async () => {
  for (const cluster of clusters) {
    await made(cluster, 'foreign_one', ROLE)
    await obey(
      cluster,
      "psql foreign_one -c 'CREATE TABLE schema_version (version INT)' -c 'CREATE TABLE applied_schema_deltas (file TEXT)' -c 'GRANT ALL ON SCHEMA public TO synapse_user'",
    )
    assert.match(await refused(cluster, 'foreign_one'), /does not allow it: permission denied for table schema_version/)
  }
})
