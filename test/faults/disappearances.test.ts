import assert from 'node:assert/strict'
import { kill } from 'node:process'
import { after, before, test } from 'node:test'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { type Ended, pause, WatchedDatabase } from '#test/helpers/watched-database.ts'

// A database that disappears, in the ways in which it can. The bound is 2 s of silence and 1 s for the probe.

const BOUND_MS = 3_000
const MARGIN_MS = 1_500

let cluster: PostgresCluster
before(async () => {
  cluster = await PostgresCluster.start()
})
after(() => cluster[Symbol.asyncDispose]())

const open = () =>
  WatchedDatabase.open({ host: cluster.sockets, port: String(cluster.port), user: 'postgres', dbname: 'postgres' })

/** The processes of the server that work for us, by what they are for. */
const backends = async (name: string): Promise<number[]> => {
  const rows = await cluster.sql(`SELECT pid FROM pg_stat_activity WHERE application_name = 'myelin ${name}'`)
  return rows.map(({ pid }) => Number(pid))
}

/** Freezes processes until it is disposed of. */
const frozen = (pids: readonly number[]): Disposable => {
  const signal = (name: 'SIGSTOP' | 'SIGCONT') => {
    for (const pid of pids) {
      try {
        kill(pid, name)
      } catch {
        // It has ended meanwhile.
      }
    }
  }
  signal('SIGSTOP')
  return { [Symbol.dispose]: () => signal('SIGCONT') }
}

/** All processes of the server. */
const everybody = async (): Promise<number[]> => [
  cluster.pid,
  ...(await cluster.sql('SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()')).map(({ pid }) =>
    Number(pid),
  ),
]

const assertUnavailable = ({ how, ms }: Ended, withinMs: number): void => {
  assert.equal(how, 'DatabaseUnavailable')
  assert.ok(ms < withinMs, `answered after ${Math.round(ms)} ms, within ${withinMs}`)
}

test('a frozen reader process is noticed while nobody uses it', async () => {
  await using db = await open()
  assert.equal((await db.read()).how, 'done')
  using _ = frozen(await backends('reader'))
  await pause(BOUND_MS + MARGIN_MS)
  const read = await db.read()
  assert.equal(read.how, 'done')
  assert.ok(read.ms < 500, `${read.ms}`)
})

test('what was asked of a frozen reader process is answered by another one', async () => {
  await using db = await open()
  await db.read()
  using _ = frozen(await backends('reader'))
  const read = await db.read()
  assert.equal(read.how, 'done')
  assert.ok(read.ms > 1_000 && read.ms < BOUND_MS + MARGIN_MS, `${read.ms}`)
})

test('a reader process that is frozen in the middle of a query keeps nobody waiting', async () => {
  await using db = await open()
  await db.read()
  const slow = db.slowRead(2)
  await pause(200)
  using _ = frozen(await backends('reader'))
  const read = await db.read()
  assert.equal(read.how, 'done')
  assert.equal((await slow).how, 'done')
})

test('a frozen writer process is replaced, and what it was to write is written once', async () => {
  await using db = await open()
  await db.write()
  {
    using _ = frozen(await backends('writer'))
    const written = await db.write('@once:example.org')
    assert.equal(written.how, 'done')
    assert.ok(written.ms < BOUND_MS + MARGIN_MS, `${written.ms}`)
  }
  await pause(300)
  assert.ok(await db.has('@once:example.org'))
  assert.equal((await db.write('@once:example.org')).how, 'refused')
})

test('a slow query on a server that lives is not broken off, and the others do not wait for it', async () => {
  await using db = await open()
  await db.read()
  const slow = db.slowRead(6)
  await pause(100)
  const read = await db.read()
  assert.ok(read.how === 'done' && read.ms < 1_000, JSON.stringify(read))
  const answered = await slow
  assert.equal(answered.how, 'done')
  assert.ok(answered.ms > 5_900 && answered.ms < 8_500, `${answered.ms}`)
  assert.ok(!db.told.includes('database_lost'))
})

test('a commit that takes very long keeps nobody waiting, and is heard of when it is done', async () => {
  await using db = await open()
  await db.write()
  const committed = db.committed
  const lock = cluster.sql('BEGIN', 'SELECT pg_advisory_xact_lock(1299799404, 1)', 'SELECT pg_sleep(6)', 'COMMIT')
  await pause(200)
  const [first, second] = await Promise.all([db.write('@late:example.org'), db.write('@queued:example.org')])
  assertUnavailable(first, BOUND_MS + MARGIN_MS)
  assertUnavailable(second, BOUND_MS + MARGIN_MS)
  assertUnavailable(await db.write(), 100)
  assert.equal((await db.read()).how, 'done')
  await lock
  await db.untilBack(2_000)
  assert.ok(await db.has('@late:example.org'))
  assert.ok(db.committed > committed)
})

for (const isIdle of [true, false])
  test(`a server that is frozen as a whole is given up, ${isIdle ? 'idle' : 'with queries in flight'}`, async () => {
    await using db = await open()
    await db.untilBack(1_000)
    const all = await everybody()
    {
      using _ = frozen(all)
      if (isIdle) await pause(BOUND_MS + MARGIN_MS)
      else {
        const waiting = await Promise.all([db.read(), db.write('@frozen:example.org'), db.read(), db.write()])
        for (const one of waiting) assertUnavailable(one, BOUND_MS + MARGIN_MS)
      }
      assertUnavailable(await db.read(), 100)
      assertUnavailable(await db.write(), 100)
    }
    await db.untilBack(5_000)
    assert.ok(db.told.includes('database_lost') && db.told.includes('database_found'))
    assert.equal((await db.write('@frozen:example.org')).how, isIdle ? 'done' : await again(db))
  })

/** Whether it was written or not when nobody waited, it is there once now. */
const again = async (db: WatchedDatabase): Promise<string> =>
  (await db.has('@frozen:example.org')) ? 'refused' : 'done'

test('a server that goes and comes back', async () => {
  await using db = await open()
  await db.untilBack(1_000)
  const slow = db.slowRead(5)
  await pause(100)
  await cluster.stop()
  assertUnavailable(await slow, 1_000)
  assertUnavailable(await db.read(), 500)
  assertUnavailable(await db.write(), 500)
  await cluster.start()
  await db.untilBack(2_000)
})

test('a server that goes in the middle of a commit and comes back: the commit is not lost', async () => {
  await using db = await open()
  await db.untilBack(1_000)
  const lock = cluster
    .sql('BEGIN', 'SELECT pg_advisory_xact_lock(1299799404, 1)', 'SELECT pg_sleep(60)')
    .catch(() => [])
  await pause(100)
  const written = db.write('@through:example.org')
  await pause(200)
  await cluster.stop()
  await lock
  await pause(500)
  await cluster.start()
  assert.equal((await written).how, 'done')
  assert.ok(await db.has('@through:example.org'))
})

test('a server that stops does not wait for a database that is gone', async () => {
  const db = await open()
  await db.untilBack(1_000)
  const all = await everybody()
  using _ = frozen(all)
  const written = db.write()
  await pause(100)
  const startedAt = performance.now()
  await db[Symbol.asyncDispose]()
  assert.ok(performance.now() - startedAt < BOUND_MS + 6_500)
  assertUnavailable(await written, BOUND_MS + MARGIN_MS)
})
