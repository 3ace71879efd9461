import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { roomEvent } from '#protocol/event-builder.testing.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { JsonObject } from '#util/json.ts'
import { authChain, authDifference, conflictedSubgraph } from './auth-chain.ts'
import { conflictedIds, separate } from './conflicted.ts'
import { resolve, resolveConflict } from './resolve.ts'
import { histories, play, versions } from './room-history.testing.ts'
import { keyOf, RoomStory, sorted } from './room-story.testing.ts'

describe('a resolution', () => {
  test('depends on no order: of states, of entries, of auth events', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { story, states } = play(history)
        const expected = story.resolve(states)
        assert.deepEqual(story.resolve(states.toReversed()), expected)
        const shuffled = states.map((state) => new Map([...state].reverse()))
        const authEvents = (id: string) => (story.events.get(id)?.authEvents ?? []).toReversed()
        assert.deepEqual(story.resolve(shuffled, { authEvents }), expected)
      }),
      { numRuns: 300 },
    )
  })
  test('depends on no batching: events that come to hand bit by bit lead to the same state', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 5 }), (history, batch) => {
        const { story, states } = play(history)
        const known = new Set<string>()
        const missing = new Set<string>()
        const event = (id: string): RoomEvent | undefined => {
          if (known.has(id)) return story.events.get(id)
          missing.add(id)
          return undefined
        }
        const authEvents = (id: string) => event(id)?.authEvents ?? []
        for (;;) {
          const resolved = story.resolve(states, { event, authEvents })
          if (missing.size === 0) return assert.deepEqual(resolved, story.resolve(states))
          for (const id of [...missing].slice(0, batch)) known.add(id)
          missing.clear()
        }
      }),
    )
  })
  test('is not changed by a state given twice', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { story, states } = play(history)
        const [first] = states
        assert.deepEqual(story.resolve([...states, new Map(first)]), story.resolve(states))
        assert.deepEqual(story.resolve([...states, ...states]), story.resolve(states))
      }),
    )
  })
  test('keeps what all states agree about', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { story, states } = play(history)
        const resolved = story.resolve(states)
        for (const [key, id] of states[0] ?? []) {
          if (states.every((state) => state.get(key) === id)) assert.equal(resolved.get(key), id)
        }
      }),
    )
  })
  test('is the same with numbers for keys and events, in the order of arrival, and with the conflict alone', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { story, states } = play(history)
        const ids = [...story.events.keys()]
        const keys: string[] = []
        const numberOf = (key: string): number => {
          if (!keys.includes(key)) keys.push(key)
          return keys.indexOf(key)
        }
        const numbered = states.map((state) => new Map([...state].map(([key, id]) => [numberOf(key), ids.indexOf(id)])))
        const eventOf = (id: number): RoomEvent | undefined => story.events.get(ids[id] ?? '')
        const context = {
          rules: story.rules,
          event: eventOf,
          authEvents: (id: number) => (eventOf(id)?.authEvents ?? []).map((cited) => ids.indexOf(cited)),
          keyOf: (type: string, stateKey: string) => numberOf(keyOf(type, stateKey)),
          isAllowed: story.context().isAllowed,
          isTopological: true,
        }
        const whole = resolve(numbered, context)
        const named = sorted([...whole.entries()].map(([key, id]) => [keys[key] ?? '', ids[id] ?? ''] as const))
        assert.deepEqual(named, story.resolve(states))
        for (const [key, id] of whole.entries()) assert.equal(whole.get(key), id)
        assert.equal(whole.get(numberOf('no such key')), undefined)
        assert.deepEqual(resolveConflict(separate(numbered), context), whole.decided)
      }),
    )
  })
  test('never throws on events that say anything at all, and makes no state of what is none', () => {
    const ids = ['$a', '$b', '$c', '$d', '$e', '$f']
    const types = fc.constantFrom('m.room.create', 'm.room.member', 'm.room.power_levels', 'm.room.join_rules', 'x')
    const contents = fc.constantFrom<JsonObject>(
      {},
      { users: 7 },
      { users: { '@alice:x': 100 } },
      { membership: 'join' },
      { membership: 'ban' },
      { join_rule: [] },
    )
    const wild = fc.record({
      type: types,
      stateKey: fc.constantFrom('', '@alice:x', undefined),
      content: contents,
      authEvents: fc.subarray([...ids, '$unknown']),
    })
    const wildState = fc
      .dictionary(fc.constantFrom('p', 'q', 'r'), fc.constantFrom(...ids, '$unknown'))
      .map((entries) => new Map(Object.entries(entries)))
    fc.assert(
      fc.property(
        versions,
        fc.tuple(...ids.map(() => wild)),
        fc.array(wildState, { maxLength: 3 }),
        (version, drafts, states) => {
          const story = new RoomStory(version)
          for (const [at, draft] of drafts.entries()) {
            const eventId = ids[at] ?? ''
            story.events.set(eventId, roomEvent({ ...draft, eventId }))
          }
          for (const [key, id] of story.resolve(states)) {
            const event = story.events.get(id)
            // Keys that the states had not come from events: of state, and under their own name.
            if (!['p', 'q', 'r'].includes(key)) assert.equal(key, keyOf(event?.type ?? '', event?.stateKey ?? 'none'))
          }
        },
      ),
    )
  })
})

describe('the sets that a resolution begins with', () => {
  test('the auth difference is the union of the chains of whole states without what is in all or conflicted', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { story, states } = play(history)
        const { authEvents } = story.context()
        const conflicted = conflictedIds(separate(states))
        const chains = [...new Set(states)].map((state) => authChain(state.values(), authEvents))
        const expected = new Set(
          [...new Set(chains.flatMap((chain) => [...chain]))].filter(
            (id) => !conflicted.has(id) && !chains.every((chain) => chain.has(id)),
          ),
        )
        assert.deepEqual(authDifference(separate(states), authEvents), expected)
      }),
    )
  })
  test('the conflicted subgraph holds what lies between two conflicted events and nothing else', () => {
    fc.assert(
      fc.property(histories, (history) => {
        const { story, states } = play(history)
        const { authEvents } = story.context()
        const conflict = separate(states)
        const conflicted = conflictedIds(conflict)
        const below = authChain(conflicted, authEvents)
        const reaches = (id: string): boolean => [...authChain([id], authEvents)].some((other) => conflicted.has(other))
        const expected = new Set([...below].filter(reaches))
        assert.deepEqual(new Set([...conflictedSubgraph(conflict, authEvents)].sort()), new Set([...expected].sort()))
      }),
    )
  })
  test('every entry of a state is unconflicted or conflicted', () => {
    const state = fc
      .dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2'))
      .map((entries) => new Map(Object.entries(entries)))
    fc.assert(
      fc.property(fc.array(state, { maxLength: 4 }), (states) => {
        const { sets, unconflicted, unconflictedIds } = separate(states)
        const agreed = ['a', 'b', 'c', 'd'].filter((key) => unconflicted(key) !== undefined)
        for (const [at, each] of states.entries()) {
          for (const [key, id] of each) {
            const isAgreed = states.every((other) => other.get(key) === id)
            assert.equal(unconflicted(key), isAgreed ? id : undefined)
            assert.equal(sets[at]?.get(key), isAgreed ? undefined : id)
          }
        }
        assert.deepEqual([...unconflictedIds()].sort(), agreed.map((key) => unconflicted(key) ?? '').sort())
      }),
    )
  })
  test('a circle of auth events ends', () => {
    const authEvents = (id: string): readonly string[] => ({ a: ['b'], b: ['a', 'c'] })[id] ?? []
    assert.deepEqual(authChain(['a'], authEvents), new Set(['a', 'b', 'c']))
  })
})
