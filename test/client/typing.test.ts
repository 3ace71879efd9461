import assert from 'node:assert/strict'
import { setAccountData } from '#api/client/account-data.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { sync } from '#api/client/sync.ts'
import { setTyping } from '#api/client/typing.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver, type TestOptions } from '#test/helpers/homeserver.ts'
import { roomOf } from '#test/helpers/rooms.ts'
import type { Clock } from '#util/clock.ts'

type Query = Readonly<Record<string, string>>
const look = (client: TestClient, query: Query = {}) => client.call(sync, { query })
type Answer = Awaited<ReturnType<typeof look>>
const typersIn = (answer: Answer, roomId: string): unknown =>
  answer.rooms?.join?.[roomId]?.ephemeral?.events?.find(({ type }) => type === 'm.typing')?.content['user_ids']
const type = (client: TestClient, roomId: string, body: { typing: boolean; timeout?: number | undefined }) =>
  client.call(setTyping, { params: { roomId, userId: client.userId }, body })

/** A clock that stands still until it is told to go on. */
class StandingClock implements Clock {
  #now = 1_700_000_000_000
  readonly #timers = new Set<{ readonly at: number; readonly task: () => void }>()
  readonly now = () => this.#now
  readonly after = (delayMs: number, task: () => void) => {
    const timer = { at: this.#now + delayMs, task }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
  advance(ms: number): void {
    this.#now += ms
    for (const timer of [...this.#timers].sort((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.task()
    }
  }
}

eachHomeserver('others hear who types, and who does so no more', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const carol = await register('carol')
  const roomId = await roomOf([alice, bob, carol])
  const { next_batch: since } = await look(alice)
  const waiting = look(alice, { since, timeout: '30000' })
  await type(bob, roomId, { typing: true, timeout: 60_000 })
  const first = await waiting
  assert.deepEqual(typersIn(first, roomId), [bob.userId])
  assert.deepEqual(typersIn(await look(carol), roomId), [bob.userId])
  await type(bob, roomId, { typing: true, timeout: 60_000 })
  assert.equal((await look(alice, { since: first.next_batch })).rooms, undefined)
  await type(carol, roomId, { typing: true })
  const second = await look(alice, { since: first.next_batch })
  assert.deepEqual(typersIn(second, roomId), [bob.userId, carol.userId])
  const later = look(alice, { since: second.next_batch, timeout: '30000' })
  await type(bob, roomId, { typing: false })
  assert.deepEqual(typersIn(await later, roomId), [carol.userId])
  await type(carol, roomId, { typing: true, timeout: 0 })
  assert.deepEqual(typersIn(await look(alice, { since: (await later).next_batch }), roomId), [])
  assert.equal(typersIn(await look(alice), roomId), undefined)
})

eachHomeserver('only members say that they type, and only of themselves', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice])
  const refused = async (client: TestClient, params: object, raw = '{"typing":true}') => {
    const { status, errcode } = await client.refused(setTyping, {
      params: { roomId, userId: client.userId, ...params },
      raw,
    })
    return [status, errcode]
  }
  assert.deepEqual(await refused(bob, {}), [403, 'M_FORBIDDEN'])
  assert.deepEqual(await refused(bob, { userId: alice.userId }), [403, 'M_FORBIDDEN'])
  assert.deepEqual(await refused(bob, { roomId: '!unknown:example.org' }), [403, 'M_FORBIDDEN'])
  assert.deepEqual(await refused(alice, {}, '{}'), [400, 'M_MISSING_PARAM'])
  assert.deepEqual(await refused(alice, {}, '{"typing":1}'), [400, 'M_BAD_JSON'])
  assert.deepEqual(await refused(alice, {}, '{"typing":true,"timeout":-1}'), [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await refused(alice, {}, '{"typing":true,"timeout":"1"}'), [400, 'M_BAD_JSON'])
  assert.equal(typersIn(await look(alice), roomId), undefined)
})

const clocks: StandingClock[] = []
const standing: TestOptions = {
  get clock() {
    const clock = new StandingClock()
    clocks.push(clock)
    return clock
  },
}

eachHomeserver(
  'whoever does not say it again types no longer than they said, and than two minutes',
  async ({ register }) => {
    const clock = clocks.at(-1)
    const alice = await register('alice')
    const bob = await register('bob')
    const roomId = await roomOf([alice, bob])
    const typers = async () => typersIn(await look(alice), roomId)
    for (const [timeout, lasts] of [
      [undefined, 30_000],
      [5_000, 5_000],
      [Number.MAX_SAFE_INTEGER, 120_000],
    ] as const) {
      await type(bob, roomId, { typing: true, timeout })
      clock?.advance(lasts - 1)
      assert.deepEqual(await typers(), [bob.userId])
      clock?.advance(1)
      assert.equal(await typers(), undefined)
    }
    await type(bob, roomId, { typing: true, timeout: 5_000 })
    clock?.advance(4_000)
    await type(bob, roomId, { typing: true, timeout: 5_000 })
    clock?.advance(4_000)
    assert.deepEqual(await typers(), [bob.userId])
  },
  standing,
)

eachHomeserver('whoever leaves a room or is ignored does not type in it', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const carol = await register('carol')
  const roomId = await roomOf([alice, bob, carol])
  await type(bob, roomId, { typing: true, timeout: 60_000 })
  await type(carol, roomId, { typing: true, timeout: 60_000 })
  await alice.call(setAccountData, {
    params: { userId: alice.userId, type: 'm.ignored_user_list' },
    body: { ignored_users: { [carol.userId]: {} } },
  })
  const first = await look(alice)
  assert.deepEqual(typersIn(first, roomId), [bob.userId])
  await bob.call(leaveRoom, { params: { roomId } })
  assert.deepEqual(typersIn(await look(carol), roomId), [carol.userId])
  assert.deepEqual(typersIn(await look(alice, { since: first.next_batch }), roomId), [])
})

eachHomeserver('a client from before a restart hears who types now', async ({ register, restart }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  for (let n = 0; n < 3; n++) {
    await type(bob, roomId, { typing: true, timeout: 60_000 })
    await type(bob, roomId, { typing: false })
  }
  const { next_batch: since } = await look(alice)
  await restart()
  assert.equal((await look(alice, { since })).rooms, undefined)
  await type(bob, roomId, { typing: true, timeout: 60_000 })
  const later = await look(alice, { since })
  assert.deepEqual(typersIn(later, roomId), [bob.userId])
  assert.equal((await look(alice, { since: later.next_batch })).rooms, undefined)
})

eachHomeserver(
  'whoever waits when the server ends is told at once that nobody types',
  async ({ register, restart }) => {
    const alice = await register('alice')
    const bob = await register('bob')
    const roomId = await roomOf([alice, bob])
    const idle = await register('idle')
    await type(bob, roomId, { typing: true, timeout: 60_000 })
    const { next_batch: since } = await look(alice)
    const waiting = look(alice, { since, timeout: '300000' })
    const idly = look(idle, { since: (await look(idle)).next_batch, timeout: '300000' })
    await look(bob)
    await restart()
    const last = await waiting
    assert.deepEqual(typersIn(last, roomId), [])
    assert.equal((await idly).rooms, undefined)
    assert.equal((await look(alice, { since: last.next_batch })).rooms, undefined)
  },
)
