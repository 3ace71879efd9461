import assert from 'node:assert/strict'
import { kill } from 'node:process'
import { test } from 'node:test'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { startHomeserver } from '#test/helpers/homeserver.ts'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { roomOf } from '#test/helpers/rooms.ts'
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
  const alice = await homeserver.register('alice')
  const roomId = await roomOf([alice])
  const ask = async (method: string, path: string, body: object, token = '') => {
    const startedAt = performance.now()
    const response = await fetch(`${homeserver.url}/_matrix/client/v3/${path}`, {
      method,
      headers: token === '' ? {} : { authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    })
    const { errcode } = (await response.json()) as { errcode?: string }
    return { status: response.status, errcode, ms: performance.now() - startedAt }
  }
  const login = () =>
    ask('POST', 'login', {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'nobody' },
      password: 'x',
    })
  const said: string[] = []
  // Nothing need be read for it: it waits for the commit alone.
  const say = (body: string) => {
    said.push(body)
    const path = `rooms/${encodeURIComponent(roomId)}/send/m.room.message/${body}`
    return ask('PUT', path, { msgtype: 'm.text', body }, alice.accessToken)
  }
  assert.equal((await login()).status, 403)
  assert.equal((await say('before')).status, 200)
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
  const answers = await Promise.all([login(), say('lost'), login(), say('lostToo')])
  for (const { status, errcode, ms } of [...answers, await login(), await say('later')]) {
    assert.deepEqual([status, errcode], [503, 'M_UNKNOWN'])
    assert.ok(ms < 4_500)
  }
  signal('SIGCONT')
  for (let tries = 0; (await login()).status === 503; tries++) {
    assert.ok(tries < 50)
    await pause(100)
  }
  assert.equal((await login()).status, 403)
  // What was not acknowledged is sent again, as clients do, and is there once.
  for (const body of said.slice()) assert.equal((await say(body)).status, 200)
  const { chunk } = await alice.call(getRoomEvents, { params: { roomId }, query: { dir: 'b', limit: '100' } })
  const texts = chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body'])
  assert.deepEqual(texts.sort(), ['before', 'later', 'lost', 'lostToo'])
})
