import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type EventDraft, roomEvent, rulesOf } from '#protocol/event-builder.testing.ts'
import { allowed } from '#util/verdict.ts'
import { sortByMainline } from './mainline-sort.ts'
import type { ResolutionContext } from './resolution-context.ts'
import { sortByPower } from './topological-sort.ts'

/** Events by name; each may be a power levels event, and cites others. */
const contextOf = (drafts: Readonly<Record<string, EventDraft>>, version = '11'): ResolutionContext<string, string> => {
  const events = new Map(
    Object.entries(drafts).map(([name, draft]) => [name, roomEvent({ eventId: name, stateKey: '', ...draft })]),
  )
  return {
    rules: rulesOf(version),
    event: (id) => events.get(id),
    authEvents: (id) => events.get(id)?.authEvents ?? [],
    keyOf: (type, stateKey) => type + stateKey,
    isAllowed: () => allowed,
  }
}
const levels = (users: Readonly<Record<string, number>>, draft: EventDraft = {}): EventDraft => ({
  type: 'm.room.power_levels',
  content: { users },
  ...draft,
})
const create = roomEvent({ type: 'm.room.create', stateKey: '', sender: '@alice:x' })

describe('reverse topological power order', () => {
  const cases: readonly (readonly [string, Readonly<Record<string, EventDraft>>, string, readonly string[]])[] = [
    [
      'what is cited comes first, whatever its time',
      { a: { authEvents: ['b'] }, b: { originServerTs: 9 } },
      'ab',
      ['b', 'a'],
    ],
    [
      'more power comes first, whatever its time',
      {
        p: levels({ '@m:x': 50, '@n:x': 60 }),
        a: { sender: '@m:x', authEvents: ['p'] },
        b: { sender: '@n:x', authEvents: ['p'], originServerTs: 9 },
      },
      'ab',
      ['b', 'a'],
    ],
    [
      "power is that of the event's own auth events",
      {
        p: levels({ '@m:x': 50 }),
        q: levels({ '@n:x': 60 }),
        a: { sender: '@m:x', authEvents: ['p'] },
        b: { sender: '@n:x', authEvents: ['p'], originServerTs: 9 },
        c: { sender: '@n:x', authEvents: ['q'], originServerTs: 9 },
      },
      'abc',
      ['c', 'a', 'b'],
    ],
    [
      'the creator has 100 without power levels',
      { a: { sender: '@bob:x' }, b: { sender: '@alice:x' } },
      'ab',
      ['b', 'a'],
    ],
    ['of equal power the older comes first', { a: { originServerTs: 2 }, b: { originServerTs: 1 } }, 'ab', ['b', 'a']],
    ['of one time the smaller event ID comes first', { b: {}, a: {} }, 'ba', ['a', 'b']],
    [
      'an event becomes eligible only when all it cites are sorted',
      { a: { authEvents: ['x', 'y'] }, b: { originServerTs: 5 }, x: { originServerTs: 1 }, y: { originServerTs: 9 } },
      'abxy',
      ['x', 'b', 'y', 'a'],
    ],
    ['what is not known is left out', { a: {} }, 'az', ['a']],
    [
      'an event that is cited but not asked for does not count',
      { a: { authEvents: ['b'], originServerTs: 0 }, b: {}, c: { originServerTs: 1 } },
      'ac',
      ['a', 'c'],
    ],
    ['an event that cites itself is sorted', { a: { authEvents: ['a'] } }, 'a', ['a']],
    [
      'a circle is opened at the first',
      { a: { authEvents: ['b'], originServerTs: 5 }, b: { authEvents: ['a'] }, c: { authEvents: ['a'] } },
      'abc',
      ['b', 'a', 'c'],
    ],
  ]
  for (const [name, drafts, ids, expected] of cases) {
    test(name, () => {
      assert.deepEqual(sortByPower([...ids], create, contextOf(drafts)), expected)
      assert.deepEqual(sortByPower([...ids].reverse(), create, contextOf(drafts)), expected)
    })
  }
  test('a creator comes before every level in version 12', () => {
    const context = contextOf(
      {
        p: levels({ '@m:x': 1000 }),
        a: { sender: '@m:x', authEvents: ['p'] },
        b: { sender: '@alice:x', originServerTs: 9 },
      },
      '12',
    )
    assert.deepEqual(sortByPower(['a', 'b'], create, context), ['b', 'a'])
  })
  test('power levels that cannot be read count as none', () => {
    const context = contextOf({
      p: levels({}, { content: { users: 7 } }),
      a: { sender: '@m:x', authEvents: ['p'] },
      b: { sender: '@alice:x', authEvents: ['p'], originServerTs: 9 },
    })
    assert.deepEqual(sortByPower(['a', 'b'], create, context), ['b', 'a'])
  })
  test('any graph gives every known event once, after what it cites where there is no circle', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
    const graph = fc.tuple(...names.map(() => fc.record({ cites: fc.subarray(names), ts: fc.nat(3) })))
    fc.assert(
      fc.property(graph, fc.boolean(), (nodes, isCircleFree) => {
        const drafts = Object.fromEntries(
          nodes.map(({ cites, ts }, at) => [
            names[at] ?? '',
            { originServerTs: ts, authEvents: cites.filter((name) => !isCircleFree || name < (names[at] ?? '')) },
          ]),
        )
        const order = sortByPower(names, create, contextOf(drafts))
        assert.deepEqual([...order].sort(), names)
        if (!isCircleFree) return
        for (const [name, { authEvents = [] }] of Object.entries<EventDraft>(drafts)) {
          for (const cited of authEvents) assert.ok(order.indexOf(cited) < order.indexOf(name))
        }
      }),
    )
  })
})

describe('mainline order', () => {
  const line: Readonly<Record<string, EventDraft>> = {
    p0: levels({}),
    p1: levels({}, { authEvents: ['p0'] }),
    p2: levels({}, { authEvents: ['p1'] }),
    side: levels({}, { authEvents: ['p0'] }),
    lost: levels({}),
  }
  const cases: readonly (readonly [string, Readonly<Record<string, EventDraft>>, readonly string[]])[] = [
    [
      'older power levels come first',
      { a: { authEvents: ['p2'] }, b: { authEvents: ['p0'], originServerTs: 9 } },
      ['b', 'a'],
    ],
    [
      'a side line counts from where it left',
      { a: { authEvents: ['side'] }, b: { authEvents: ['p1'] }, c: { authEvents: ['p0'], originServerTs: 1 } },
      ['a', 'c', 'b'],
    ],
    [
      'what never meets the mainline comes first',
      { a: { authEvents: ['p0'] }, b: { authEvents: ['lost'], originServerTs: 9 } },
      ['b', 'a'],
    ],
    ['what cites no power levels comes first', { a: { authEvents: ['p0'] }, b: { originServerTs: 9 } }, ['b', 'a']],
    [
      'of one position the older comes first',
      { a: { authEvents: ['p1'], originServerTs: 2 }, b: { authEvents: ['p1'], originServerTs: 1 } },
      ['b', 'a'],
    ],
    [
      'of one time the smaller event ID comes first',
      { b: { authEvents: ['p1'] }, a: { authEvents: ['p1'] } },
      ['a', 'b'],
    ],
    [
      'of several power levels that are wrongly cited the smallest ID counts',
      { a: { authEvents: ['p2', 'p0'] }, b: { authEvents: ['p1'] } },
      ['a', 'b'],
    ],
  ]
  for (const [name, drafts, expected] of cases) {
    test(name, () => {
      const context = contextOf({ ...line, ...drafts })
      assert.deepEqual(sortByMainline(Object.keys(drafts), 'p2', context), expected)
      assert.deepEqual(sortByMainline(Object.keys(drafts).reverse(), 'p2', context), expected)
    })
  }
  test('a power levels event has the place of those it cites', () => {
    assert.deepEqual(sortByMainline(['p2', 'p1', 'p0'], 'p2', contextOf(line)), ['p0', 'p1', 'p2'])
  })
  test('without power levels only time counts', () => {
    const context = contextOf({ ...line, a: { authEvents: ['p2'] }, b: { authEvents: ['p0'], originServerTs: 9 } })
    assert.deepEqual(sortByMainline(['b', 'a'], undefined, context), ['a', 'b'])
  })
  test('power levels in a circle end', () => {
    const context = contextOf({
      x: levels({}, { authEvents: ['y'] }),
      y: levels({}, { authEvents: ['x'] }),
      a: { authEvents: ['x'] },
    })
    assert.deepEqual(sortByMainline(['a', 'zzz'], 'y', context), ['a'])
    assert.deepEqual(sortByMainline(['a'], undefined, context), ['a'])
  })
})
