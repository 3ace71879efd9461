import assert from 'node:assert/strict'
import { kill } from 'node:process'
import { test } from 'node:test'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { pause, WatchedDatabase } from '#test/helpers/watched-database.ts'

// Two servers, the second a copy of the first that may take over.

const portOf = async (cluster: PostgresCluster, sql: string): Promise<unknown> => (await cluster.sql(sql))[0]?.['found']

for (const how of ['stops', 'is frozen'] as const)
  test(`when the first of two hosts ${how}, the second one is written to once it may be`, async () => {
    await using first = await PostgresCluster.start({ hba: ['host all all 127.0.0.1/32 trust'] })
    await using second = await first.standby()
    const args = {
      host: '127.0.0.1,127.0.0.1',
      // The copy stands first in the list, and is passed by while it cannot be written to.
      port: `${second.port},${first.port}`,
      user: 'postgres',
      dbname: 'postgres',
      target_session_attrs: 'read-write',
    }
    await using db = await WatchedDatabase.open(args)
    assert.equal((await db.write('@before:example.org')).how, 'done')
    assert.equal(
      await portOf(
        first,
        "SELECT count(*)::int AS found FROM pg_stat_activity WHERE application_name = 'myelin writer'",
      ),
      1,
    )
    await replicated(second, '@before:example.org')
    const rows = await first.sql('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
    const all = [first.pid, ...rows.map(({ pid }) => Number(pid))]
    if (how === 'stops') await first.stop()
    else for (const pid of all) kill(pid, 'SIGSTOP')
    const refused = await db.write('@between:example.org')
    assert.equal(refused.how, 'DatabaseUnavailable')
    assert.equal((await db.read()).how, 'DatabaseUnavailable')
    await second.sql('SELECT pg_promote()')
    await db.untilBack(10_000)
    assert.ok(await db.has('@before:example.org'))
    assert.equal(
      await portOf(
        second,
        "SELECT count(*)::int AS found FROM pg_stat_activity WHERE application_name = 'myelin writer'",
      ),
      1,
    )
    if (how === 'is frozen') for (const pid of all) kill(pid, 'SIGCONT')
  })

/** Waits until the copy has what was written. */
async function replicated(copy: PostgresCluster, userId: string): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    const rows = await copy.sql(`SELECT 1 AS found FROM users WHERE user_id = '${userId}'`).catch(() => [])
    if (rows.length > 0) return
    await pause(100)
  }
  throw new Error('the copy does not follow')
}
