import type { RoomEvent } from '#protocol/events/pdu.ts'
import { authChain, authDifference, conflictedSubgraph } from './auth-chain.ts'
import { type Conflict, conflictedIds, type Name, separate } from './conflicted.ts'
import { applyAllowed } from './iterative-auth.ts'
import { sortByMainline } from './mainline-sort.ts'
import { createEventOf, type ResolutionContext } from './resolution-context.ts'
import { resolveConflictV1 } from './resolve-v1.ts'
import { sortByPower } from './topological-sort.ts'

/** A resolved state, without a copy of what all states agreed about. */
export type Resolution<Key extends Name, Id extends Name> = {
  /** The events of keys that were not unconflicted. A conflicted key that is missing has no event. */
  readonly decided: ReadonlyMap<Key, Id>
  /** The event of any key, or `undefined`. */
  readonly get: (key: Key) => Id | undefined
  /** The whole state, entry by entry. */
  readonly entries: () => Iterable<readonly [Key, Id]>
}

/** Resolves the states of a room after several events into one, by the room version's own algorithm. https://spec.matrix.org/v1.19/server-server-api/#room-state-resolution */
export function resolve<Key extends Name, Id extends Name>(
  states: readonly ReadonlyMap<Key, Id>[],
  context: ResolutionContext<Key, Id>,
): Resolution<Key, Id> {
  const conflict = separate(states)
  const decided = resolveConflict(conflict, context)
  return {
    decided,
    get: (key) => conflict.unconflicted(key) ?? decided.get(key),
    entries: () => allEntries(states[0], conflict, decided),
  }
}

/**
 * Resolves what states disagree about, for a caller that knows the disagreement without comparing whole states. Gives
 * the events of keys that are not unconflicted; the whole state is these beside the unconflicted ones.
 * https://spec.matrix.org/v1.19/server-server-api/#room-state-resolution
 */
export function resolveConflict<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
  context: ResolutionContext<Key, Id>,
): ReadonlyMap<Key, Id> {
  if (conflict.sets.every((set) => set.size === 0)) return new Map()
  return context.rules.stateResolution === 'v1'
    ? resolveConflictV1(conflict, context)
    : resolveConflictV2(conflict, context)
}

/** State resolution of version 2, and of 2.1 where the room version asks for it. https://spec.matrix.org/v1.19/rooms/v2/#algorithm https://spec.matrix.org/v1.19/rooms/v12/#algorithm */
function resolveConflictV2<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
  context: ResolutionContext<Key, Id>,
): ReadonlyMap<Key, Id> {
  const startsEmpty = context.rules.stateResolution === 'v2.1'
  const create = createEventOf(conflict, context)
  const initial = {
    unconflicted: startsEmpty ? () => undefined : conflict.unconflicted,
    create,
  }
  const full = fullConflictedSet(conflict, context)

  // 1. The power events and, of their auth chains, what is conflicted too.
  const powerEvents: Id[] = []
  for (const id of full) if (isPowerEvent(context.event(id))) powerEvents.push(id)
  const first = new Set<Id>()
  for (const id of authChain(powerEvents, context.authEvents)) if (full.has(id)) first.add(id)

  // 2. Check them against the unconflicted state (2.1: from nothing).
  const state = new Map<Key, Id>()
  applyAllowed(sortByPower(first, create, context), state, initial, context)

  // 3. and 4. The rest in mainline order, against that.
  const powerLevelsKey = context.keyOf('m.room.power_levels', '')
  const powerLevels = state.get(powerLevelsKey) ?? initial.unconflicted(powerLevelsKey)
  const rest: Id[] = []
  for (const id of full) if (!first.has(id)) rest.push(id)
  applyAllowed(sortByMainline(rest, powerLevels, context), state, initial, context)

  // 5. What was unconflicted stays.
  for (const key of state.keys()) if (conflict.unconflicted(key) !== undefined) state.delete(key)
  return state
}

/**
 * A power event might take away somebody's ability to do something: power levels, join rules, and a membership of
 * leave or ban by somebody else. https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function isPowerEvent(event: RoomEvent | undefined): boolean {
  if (event?.stateKey === undefined) return false
  if (event.type === 'm.room.power_levels' || event.type === 'm.room.join_rules') return true
  if (event.type !== 'm.room.member' || event.sender === event.stateKey) return false
  const membership = Object.hasOwn(event.content, 'membership') ? event.content.membership : undefined
  return membership === 'leave' || membership === 'ban'
}

function fullConflictedSet<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
  context: ResolutionContext<Key, Id>,
): Set<Id> {
  const full = conflictedIds(conflict)
  const isUnconflicted = (id: Id): boolean => {
    const event = context.event(id)
    return event?.stateKey !== undefined && conflict.unconflicted(context.keyOf(event.type, event.stateKey)) === id
  }
  const hints = { isUnconflicted, isTopological: context.isTopological === true }
  for (const id of authDifference(conflict, context.authEvents, hints)) full.add(id)
  if (context.rules.stateResolution === 'v2.1') {
    for (const id of conflictedSubgraph(conflict, context.authEvents)) full.add(id)
  }
  return full
}

function* allEntries<Key extends Name, Id extends Name>(
  state: ReadonlyMap<Key, Id> | undefined,
  conflict: Conflict<Key, Id>,
  decided: ReadonlyMap<Key, Id>,
): Iterable<readonly [Key, Id]> {
  for (const [key, id] of state ?? []) if (conflict.unconflicted(key) !== undefined) yield [key, id]
  yield* decided
}
