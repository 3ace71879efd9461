import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { pause, WatchedDatabase } from '#test/helpers/watched-database.ts'

/** Takes all connections that a server has left. */
async function takeAll(cluster: PostgresCluster): Promise<pg.Client[]> {
  for (const taken: pg.Client[] = []; ; ) {
    const client = new pg.Client({ host: cluster.sockets, port: cluster.port, user: 'postgres', database: 'postgres' })
    client.on('error', () => {})
    try {
      await client.connect()
      taken.push(client)
    } catch (error) {
      assert.match(String(error), /too many clients already/)
      return taken
    }
  }
}

test('a server that has no room for more connections lives: those that there are do all the work', async () => {
  await using cluster = await PostgresCluster.start({
    settings: { max_connections: '12', superuser_reserved_connections: '0' },
  })
  await using db = await WatchedDatabase.open({
    host: cluster.sockets,
    port: String(cluster.port),
    user: 'postgres',
    dbname: 'postgres',
  })
  await db.untilBack(1_000)
  const others = await takeAll(cluster)
  // Longer than silence is borne: a fresh connection is tried to see whether the server lives.
  const slow = db.slowRead(4)
  await pause(200)
  const [beside, written, alsoBeside] = await Promise.all([db.read(), db.write(), db.read()])
  assert.deepEqual([beside.how, alsoBeside.how, written.how, (await slow).how], ['done', 'done', 'done', 'done'])
  assert.ok(written.ms < 1_000)
  assert.ok(!db.told.includes('database_lost'))
  for (const other of others) await other.end()
  const again = db.slowRead(2)
  await pause(1_200)
  const { how, ms } = await db.read()
  assert.equal(how, 'done')
  assert.ok(ms < 500, 'where there is room again, nobody waits for what is slow')
  assert.equal((await again).how, 'done')
})
