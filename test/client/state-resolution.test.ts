import assert from 'node:assert/strict'
import fc from 'fast-check'
import { authEventKeys } from '#protocol/auth/auth-event-types.ts'
import { authorize } from '#protocol/auth/authorize.ts'
import { canonicalJson } from '#protocol/canonical-json.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { resolve } from '#protocol/state/resolve.ts'
import { resolveStates } from '#rooms/resolve-states.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { Services } from '#server/homeserver.ts'
import { Change } from '#storage/change.ts'
import { roomKey } from '#storage/room-key.ts'
import { difference } from '#storage/state-trie/difference.ts'
import { setMany } from '#storage/state-trie/set.ts'
import { writeState } from '#storage/state-trie/write.ts'
import { eventAdded, eventJsonAdded } from '#storage/stores/events.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, setState } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'
import { packNumbers } from '#util/varint.ts'

type Step = { readonly branch: 0 | 1; readonly type: string; readonly stateKey: string; readonly content: JsonObject }

const TYPES = ['m.room.topic', 'm.room.name', 'org.example.a']
const KEYS = ['', 'k']

const step: fc.Arbitrary<Step> = fc.record({
  branch: fc.constantFrom(0 as const, 1 as const),
  type: fc.constantFrom(...TYPES),
  stateKey: fc.constantFrom(...KEYS),
  content: fc.record({ value: fc.integer({ min: 0, max: 5 }) }),
})

let next = 2_000_000

/** Two branches of a room's state, grown by hand from where it stands. */
async function grow(services: Services, view: RoomView, sender: string, steps: readonly Step[]): Promise<number[]> {
  const heads = await view.stateAt(services.feed.applied).then((state) => [state, state])
  const user = (await services.users.find(sender))?.user ?? 0
  for (const { branch, type, stateKey, content } of steps) {
    const before = heads[branch] as number
    const n = ++next
    const auth = await Promise.all(
      authEventKeys({ type, sender: sender as never, stateKey, content }, view.rules).map(([authType, key]) =>
        view.stateEvent(before, authType, key),
      ),
    )
    const authEvents = auth.filter((event) => event !== undefined)
    const change = new Change()
    const key = await view.keyNumber(type, stateKey)
    assert.ok(key !== undefined)
    const entry = [key, n] as const
    const state = await view.store.states(view.room, (rows) => setMany(rows, before, [entry], () => ++next))
    writeState(change, { room: view.room, state, fingerprint: new Uint8Array(16), isFindable: false })
    const eventId = `$${n}`
    change.write(eventAdded, {
      event: roomKey(view.room, n),
      room: view.room,
      eventId,
      pos: undefined,
      type,
      stateKey: key,
      sender: user,
      depth: n,
      originServerTs: n % 7,
      receivedTs: n,
      isOutlier: false,
      rejectedBy: undefined,
      isSoftFailed: false,
      isBackfilled: true,
      hasGapBefore: false,
      redactedBy: undefined,
      thread: undefined,
      unreadBits: 0,
      prevEvents: packNumbers([]),
      authEvents: packNumbers(authEvents.map((event) => event.n)),
      stateBefore: before,
      stateAfter: state.root,
    })
    const json = canonicalJson({
      auth_events: authEvents.map((event) => event.row.eventId),
      content,
      depth: n,
      hashes: {},
      origin_server_ts: n % 7,
      prev_events: [],
      room_id: view.roomId,
      sender,
      signatures: {},
      state_key: stateKey,
      type,
    })
    change.write(eventJsonAdded, { event: roomKey(view.room, n), json })
    await services.commit(change)
    heads[branch] = state.root
  }
  return heads
}

eachHomeserver(
  'forks of a room are resolved from their differences as they are from whole states',
  async ({ register, services }) => {
    const alice = await register('alice')
    for (const version of ['1', '2', '6', '11', '12']) {
      const roomId = await roomOf([alice], { room_version: version })
      for (const type of TYPES) {
        for (const stateKey of KEYS) await setState(alice, roomId, { type, stateKey, content: {} })
      }
      const view = await services.views.byId(roomId)
      assert.ok(view)
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
          const heads = await grow(services, view, alice.userId, steps)
          const changes = await resolveStates(view, heads)
          const events = new Map<string, RoomEvent>()
          const maps = await Promise.all(heads.map((head) => stateMap(view, head, events)))
          const oracle = resolve(maps, {
            rules: view.rules,
            event: (id) => events.get(id),
            authEvents: (id) => events.get(id)?.authEvents ?? [],
            keyOf: (type, stateKey) => `${type}\0${stateKey}`,
            isAllowed: (event, state) => authorize(event, state, view.rules),
          })
          const names = await view.store.keyNames(
            view.room,
            changes.map(([key]) => key),
          )
          for (const [key, n] of changes) {
            const name = names.get(key)
            const expected = oracle.get(`${name?.type}\0${name?.stateKey}`)
            assert.equal(n === 0 ? undefined : (await view.event(n))?.row.eventId, expected)
          }
        }),
        { numRuns: 15 },
      )
    }
  },
)

/** A state as a map of names to event IDs; the events, and those that they cite, are put into `events`. */
async function stateMap(view: RoomView, state: number, events: Map<string, RoomEvent>): Promise<Map<string, string>> {
  const map = new Map<string, string>()
  const entries = await view.store.states(view.room, (rows) => difference(rows, 0, state))
  for (const { after } of entries) {
    const event = (await view.event(after))?.event
    if (event === undefined) continue
    events.set(event.eventId, event)
    map.set(`${event.type}\0${event.stateKey}`, event.eventId)
  }
  return map
}
