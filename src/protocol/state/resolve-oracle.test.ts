import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { powerOf, readPowerLevels } from '#protocol/power-levels.ts'
import { isPowerEvent } from './resolve.ts'
import { histories, play } from './room-history.testing.ts'
import { keyOf, type RoomStory, type State, sorted } from './room-story.testing.ts'

// The algorithm once more, word for word and without a thought for speed. https://spec.matrix.org/v1.19/rooms/v12/#algorithm

test('the resolution is that of the definitions taken literally', () => {
  let conflicts = 0
  fc.assert(
    fc.property(histories, (history) => {
      if (history.version === '1') return
      const { story, states } = play(history)
      const resolved = story.resolve(states)
      assert.deepEqual(resolved, literally(story, states))
      if (
        states.some((state) => state.size !== resolved.size || [...state].some(([key, id]) => resolved.get(key) !== id))
      )
        conflicts++
    }),
    { numRuns: 1000 },
  )
  assert.ok(conflicts > 300, `only ${conflicts} histories had a conflict`)
})

// https://spec.matrix.org/v1.19/rooms/v1/#state-resolution
test('the resolution of version 1 is that of its passes taken literally', () => {
  let conflicts = 0
  fc.assert(
    fc.property(histories, (history) => {
      const { story, states } = play({ ...history, version: '1' })
      const ids = new Map<string, Set<string>>()
      for (const [key, id] of states.flatMap((state) => [...state])) ids.set(key, (ids.get(key) ?? new Set()).add(id))
      if ([...ids.values()].some(({ size }) => size > 1)) conflicts++
      assert.deepEqual(story.resolve(states), literallyV1(story, ids))
    }),
    { numRuns: 500 },
  )
  assert.ok(conflicts > 200, `only ${conflicts} histories had a conflict`)
})

function literallyV1(story: RoomStory, ids: ReadonlyMap<string, ReadonlySet<string>>): State {
  const event = (id: string): RoomEvent => story.events.get(id) as RoomEvent
  const sha1 = (id: string): string => createHash('sha1').update(id).digest('hex')
  const resolved = new Map([...ids].flatMap(([key, [id = '', ...others]]) => (others.length > 0 ? [] : [[key, id]])))
  const isAllowed = (id: string, state: State): boolean => {
    const get = (type: string, stateKey: string) => story.events.get(state.get(keyOf(type, stateKey)) ?? '')
    return story.judge(event(id), { create: get('m.room.create', ''), get }).ok
  }
  for (const pass of ['m.room.power_levels', 'm.room.join_rules', 'm.room.member', undefined]) {
    const before = new Map(resolved)
    for (const [key, [...candidates]] of ids) {
      const [type] = key.split('\0')
      if (candidates.length === 1 || before.has(key) || (pass !== undefined && type !== pass)) continue
      candidates.sort((x, y) => event(x).depth - event(y).depth || (sha1(x) > sha1(y) ? -1 : 1))
      const [first = '', ...others] = candidates
      let chosen = first
      if (pass === undefined) chosen = candidates.findLast((id) => isAllowed(id, before)) ?? first
      else
        for (const id of others)
          if (isAllowed(id, new Map(before).set(key, chosen))) chosen = id
          else break
      resolved.set(key, chosen)
    }
  }
  return sorted(resolved)
}

function literally(story: RoomStory, states: readonly State[]): State {
  const event = (id: string): RoomEvent => story.events.get(id) as RoomEvent
  const isEmptyStart = story.rules.stateResolution === 'v2.1'
  const keys = new Set(states.flatMap((state) => [...state.keys()]))
  const agreed = [...keys].filter((key) => new Set(states.map((state) => state.get(key))).size === 1)
  const unconflicted = new Map(agreed.map((key) => [key, states[0]?.get(key) ?? '']))
  const conflicted = new Set(
    states.flatMap((state) => [...state].filter(([key]) => !unconflicted.has(key)).map(([, id]) => id)),
  )

  const reach = (id: string): ReadonlySet<string> =>
    new Set([id, ...event(id).authEvents.flatMap((cited) => [...reach(cited)])])
  const chains = states.map((state) => new Set([...state.values()].flatMap((id) => [...reach(id)])))
  const known = [...story.events.keys()]
  const isBetween = (id: string): boolean =>
    [...conflicted].some((from) => reach(from).has(id)) && [...conflicted].some((to) => reach(id).has(to))
  const full = known.filter(
    (id) =>
      conflicted.has(id) ||
      (chains.some((chain) => chain.has(id)) && !chains.every((chain) => chain.has(id))) ||
      (isEmptyStart && isBetween(id)),
  )

  const power = (id: string): number => {
    const levels = event(id)
      .authEvents.map(event)
      .find(({ type }) => type === 'm.room.power_levels')
    const powerLevels = readPowerLevels(levels?.content, story.rules)
    assert.ok(!('ok' in powerLevels))
    return powerOf(event(id).sender, { create: story.events.get('$create'), powerLevels }, story.rules)
  }
  const inOrder = <Item>(items: readonly Item[], ...by: readonly ((item: Item) => number | string)[]): Item[] =>
    items.toSorted((x, y) => {
      const differing = by.find((value) => value(x) !== value(y))
      return differing === undefined ? 0 : differing(x) < differing(y) ? -1 : 1
    })
  const timeOf = (id: string): number => event(id).originServerTs
  const nameOf = (id: string): string => id

  const powerEvents = full.filter((id) => isPowerEvent(event(id)))
  let waiting = full.filter((id) => powerEvents.some((from) => reach(from).has(id)))
  const rest = full.filter((id) => !waiting.includes(id))
  const first: string[] = []
  while (waiting.length > 0) {
    const candidates = waiting.filter((id) => !event(id).authEvents.some((cited) => waiting.includes(cited)))
    const [next = ''] = inOrder(candidates, (id) => -power(id), timeOf, nameOf)
    first.push(next)
    waiting = waiting.filter((id) => id !== next)
  }

  const state = new Map(isEmptyStart ? [] : unconflicted)
  const apply = (ids: readonly string[]): void => {
    for (const id of ids) {
      const get = (type: string, stateKey: string): RoomEvent | undefined => {
        const current = state.get(keyOf(type, stateKey))
        if (current !== undefined) return event(current)
        return event(id)
          .authEvents.map(event)
          .find((cited) => cited.type === type && cited.stateKey === stateKey)
      }
      const create = isEmptyStart ? story.events.get('$create') : get('m.room.create', '')
      if (story.judge(event(id), { create, get }).ok) state.set(keyOf(event(id).type, event(id).stateKey ?? ''), id)
    }
  }
  apply(first)

  const parent = (id: string): string | undefined =>
    event(id).authEvents.find((cited) => event(cited).type === 'm.room.power_levels')
  const line = (id: string | undefined): string[] => (id === undefined ? [] : [id, ...line(parent(id))])
  const mainline = line(state.get(keyOf('m.room.power_levels', '')))
  const position = (id: string): number => {
    const found = line(parent(id)).find((each) => mainline.includes(each))
    return found === undefined ? Number.POSITIVE_INFINITY : mainline.indexOf(found)
  }
  apply(inOrder(rest, (id) => -position(id), timeOf, nameOf))
  return sorted(new Map([...state, ...unconflicted]))
}
