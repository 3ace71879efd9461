import assert from 'node:assert/strict'
import { kill } from 'node:process'
import { test } from 'node:test'
import { startHomeserver } from '#test/helpers/homeserver.ts'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { pause, QUICK } from '#test/helpers/watched-database.ts'

test('while the database is frozen every request is answered with a clear error, and all goes on when it thaws', async () => {
  await using cluster = await PostgresCluster.start()
  const args = {
    ...QUICK,
    host: cluster.sockets,
    port: cluster.port,
    user: 'postgres',
    dbname: 'postgres',
    cp_min: 2,
    cp_max: 4,
  }
  await using homeserver = await startHomeserver({
    kind: 'PostgreSQL',
    folder: cluster.folder,
    database: `database: { name: psycopg2, args: ${JSON.stringify(args)} }`,
    [Symbol.asyncDispose]: async () => {},
  })
  await homeserver.register('alice')
  const ask = async (path: string, body?: object) => {
    const startedAt = performance.now()
    const response = await fetch(`${homeserver.url}${path}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    })
    const { errcode } = (await response.json()) as { errcode?: string }
    return { status: response.status, errcode, ms: performance.now() - startedAt }
  }
  const login = () =>
    ask('/_matrix/client/v3/login', {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'nobody' },
      password: 'x',
    })
  assert.equal((await login()).status, 403)
  const rows = await cluster.sql('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')
  const all = [cluster.pid, ...rows.map(({ pid }) => Number(pid))]
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of all) {
      try {
        kill(pid, name)
      } catch {
        // It has ended meanwhile.
      }
    }
  }
  signal('SIGSTOP')
  const answers = await Promise.all([login(), login(), login()])
  for (const { status, errcode, ms } of [...answers, await login()]) {
    assert.deepEqual([status, errcode], [503, 'M_UNKNOWN'])
    assert.ok(ms < 4_500)
  }
  signal('SIGCONT')
  for (let tries = 0; (await login()).status === 503; tries++) {
    assert.ok(tries < 50)
    await pause(100)
  }
  assert.equal((await login()).status, 403)
})
