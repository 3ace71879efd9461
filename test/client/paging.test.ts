import assert from 'node:assert/strict'
import fc from 'fast-check'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { sync } from '#api/client/sync.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { type HandMade, putEvent } from '#test/helpers/hand-made-events.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { history, roomOf, say } from '#test/helpers/rooms.ts'

/** What may happen to a room between two looks at it. */
type Act = { readonly kind: 'say' } | { readonly kind: 'sync' } | ({ readonly kind: 'put' } & HandMade)

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Act>({ kind: 'say' }) },
  { weight: 3, arbitrary: fc.constant<Act>({ kind: 'sync' }) },
  // A fork: it arrives now, but stands deeper or higher in the graph.
  { weight: 2, arbitrary: fc.integer({ min: 2, max: 30 }).map((depth): Act => ({ kind: 'put', depth })) },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 2, max: 30 }).map((depth): Act => ({ kind: 'put', depth, hasGapBefore: true })),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: 1, max: 30 }).map((depth): Act => ({ kind: 'put', depth, isBackfilled: true })),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 30 }).map((depth): Act => ({ kind: 'put', depth, isSoftFailed: true })),
  },
)

const LIMIT = 3
const FILTER = JSON.stringify({ room: { timeline: { limit: LIMIT } } })

/** A client that syncs on and on, and what it saw each time. */
class Watcher {
  readonly #client: TestClient
  readonly #roomId: string
  #since: string | undefined

  constructor(client: TestClient, roomId: string) {
    this.#client = client
    this.#roomId = roomId
  }

  /** Syncs and checks that timeline and paging back from it give everything once. */
  async look(all: ReadonlySet<string>, shownLive: Set<string>): Promise<void> {
    const query = { filter: FILTER, ...(this.#since === undefined ? {} : { since: this.#since }) }
    const answer = await this.#client.call(sync, { query })
    this.#since = answer.next_batch
    const timeline = answer.rooms?.join?.[this.#roomId]?.timeline
    if (timeline === undefined) return
    const shown = timeline.events.map(({ event_id }) => event_id)
    assert.ok(shown.length <= LIMIT)
    const before = await history(this.#client, this.#roomId, timeline.prev_batch, 2)
    const together = [...before, ...shown]
    assert.deepEqual(new Set(together), all, 'every event that may be seen, and no other')
    assert.equal(together.length, new Set(together).size, 'none of them twice')
    for (const eventId of shown) {
      assert.ok(!shownLive.has(eventId), 'no event in two timelines')
      shownLive.add(eventId)
    }
  }
}

async function follow(homeserver: TestHomeserver, alice: TestClient, acts: readonly Act[]): Promise<void> {
  const roomId = await roomOf([alice])
  const all = new Set(await history(alice, roomId))
  const watcher = new Watcher(alice, roomId)
  const shown = new Set<string>()
  for (const one of [...acts, { kind: 'sync' } as const]) {
    if (one.kind === 'say') all.add(await say(alice, roomId, 'x'))
    else if (one.kind === 'sync') await watcher.look(all, shown)
    else {
      const eventId = await putEvent(homeserver.services, alice, roomId, one)
      if (one.isSoftFailed !== true) all.add(eventId)
    }
  }
}

eachHomeserver(
  'timelines and paging back from them give every event once, with forks, gaps and backfill',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), (acts) => follow(homeserver, alice, acts)),
      { numRuns: 40 },
    )
  },
)

eachHomeserver('paging forwards from the beginning gives what paging back from the end gives', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const roomId = await roomOf([alice])
  for (let n = 0; n < 12; n++) await say(alice, roomId, String(n))
  for (const depth of [4, 9, 15]) await putEvent(homeserver.services, alice, roomId, { depth })
  const back = await history(alice, roomId)
  const forward: string[] = []
  for (let from: string | undefined; ; ) {
    const page = await alice.call(getRoomEvents, {
      params: { roomId },
      query: { dir: 'f', limit: '5', ...(from === undefined ? {} : { from }) },
    })
    forward.push(...page.chunk.map(({ event_id }) => event_id))
    if (page.end === undefined) break
    from = page.end
  }
  assert.deepEqual(forward, back)
})

eachHomeserver('paging forwards from a sync goes on where the sync ended, and stops at a token', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const roomId = await roomOf([alice])
  const first = await alice.call(sync)
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.push(await say(alice, roomId, String(n)))
  const middle = await alice.call(sync)
  for (let n = 0; n < 5; n++) ids.push(await say(alice, roomId, String(n)))
  const page = async (query: Record<string, string>) =>
    (await alice.call(getRoomEvents, { params: { roomId }, query })).chunk.map(({ event_id }) => event_id)
  assert.deepEqual(await page({ dir: 'f', from: first.next_batch }), ids)
  assert.deepEqual(await page({ dir: 'f', from: first.next_batch, to: middle.next_batch }), ids.slice(0, 5))
  assert.deepEqual(await page({ dir: 'b', to: middle.next_batch }), ids.slice(5).reverse())
  const nonsense = await alice.refused(getRoomEvents, { params: { roomId }, query: { dir: 'b', from: 's12_3' } })
  assert.equal(nonsense.errcode, 'M_INVALID_PARAM')
})
