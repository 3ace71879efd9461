import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { pause, WatchedDatabase } from '#test/helpers/watched-database.ts'

// A server in a network of its own, whose packets can be dropped without a word.

const BOUND_MS = 3_000
const MARGIN_MS = 1_500

const ip = (...args: readonly string[]): void => void execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** A network of a test's own, with one machine at the other end. */
class Network implements Disposable {
  readonly #id = randomInt(1, 65_000).toString(16)
  readonly #subnet = `10.${randomInt(100, 250)}.${randomInt(1, 250)}`
  readonly space = `myelin-${this.#id}`
  readonly here = `${this.#subnet}.1`
  readonly there = `${this.#subnet}.2`

  constructor() {
    const [mine, theirs] = [`my${this.#id}a`, `my${this.#id}b`]
    ip('netns', 'add', this.space)
    ip('link', 'add', mine, 'type', 'veth', 'peer', 'name', theirs, 'netns', this.space)
    ip('addr', 'add', `${this.here}/30`, 'dev', mine)
    ip('link', 'set', mine, 'up')
    ip('-n', this.space, 'addr', 'add', `${this.there}/30`, 'dev', theirs)
    ip('-n', this.space, 'link', 'set', theirs, 'up')
    ip('-n', this.space, 'link', 'set', 'lo', 'up')
  }

  /** What the server sends disappears. */
  drop(): void {
    ip('-n', this.space, 'route', 'add', 'blackhole', `${this.here}/32`)
  }

  restore(): void {
    ip('-n', this.space, 'route', 'del', 'blackhole', `${this.here}/32`)
  }

  [Symbol.dispose](): void {
    ip('netns', 'del', this.space)
  }
}

const mayMakeNetworks = (): boolean => {
  const name = `myelin-try-${randomInt(1_000_000)}`
  if (spawnSync('ip', ['netns', 'add', name]).status !== 0) return false
  return spawnSync('ip', ['netns', 'del', name]).status === 0
}
const skip = mayMakeNetworks() ? false : 'this account may not make a network of its own (ip netns add)'

for (const isIdle of [true, false])
  test(`packets that are dropped are noticed within the bound, ${isIdle ? 'idle' : 'with queries in flight'}`, {
    skip,
  }, async () => {
    using network = new Network()
    await using cluster = await PostgresCluster.start({
      hba: [`host all all ${network.here}/32 trust`],
      listen: network.there,
      by: ['ip', 'netns', 'exec', network.space],
    })
    await using db = await WatchedDatabase.open({
      host: network.there,
      port: String(cluster.port),
      user: 'postgres',
      dbname: 'postgres',
    })
    await db.untilBack(1_000)
    network.drop()
    if (isIdle) await pause(BOUND_MS + MARGIN_MS)
    else {
      const startedAt = performance.now()
      const waiting = await Promise.all([db.read(), db.write('@dropped:example.org'), db.read(), db.write()])
      for (const { how } of waiting) assert.equal(how, 'DatabaseUnavailable')
      assert.ok(performance.now() - startedAt < BOUND_MS + MARGIN_MS)
    }
    for (const one of [await db.read(), await db.write()]) {
      assert.equal(one.how, 'DatabaseUnavailable')
      assert.ok(one.ms < 100, 'no later request waits')
    }
    network.restore()
    await db.untilBack(6_000)
    assert.ok(db.told.includes('database_lost') && db.told.includes('database_found'))
  })
