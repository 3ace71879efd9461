/** What stands for an event, or for an event type and state key: the caller's integer, or text. */
export type Name = string | number

/**
 * What several states of a room disagree about, and a way to ask for what they agree about.
 * `Key` stands for an event type and state key, `Id` for an event.
 */
export type Conflict<Key extends Name, Id extends Name> = {
  /** Of each state the entries that are not the same in all of them. */
  readonly sets: readonly ReadonlyMap<Key, Id>[]
  /** The event all states agree about for a key, or `undefined`: the unconflicted state map as a look-up. */
  readonly unconflicted: (key: Key) => Id | undefined
  /** All events of the unconflicted state map. Asked for only where the auth difference needs them. */
  readonly unconflictedIds: () => Iterable<Id>
}

/**
 * Divides states into the unconflicted state map and the conflicted entries of each. A key is unconflicted where every
 * state has it with the same event; no copy of the unconflicted map is made. https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function separate<Key extends Name, Id extends Name>(
  states: readonly ReadonlyMap<Key, Id>[],
): Conflict<Key, Id> {
  const distinct = [...new Set(states)]
  const [first, ...others] = distinct
  if (first === undefined) return { sets: [], unconflicted: () => undefined, unconflictedIds: () => [] }
  const conflicted = new Set<Key>()
  for (const other of others) addDifference(first, other, conflicted)
  return {
    sets: distinct.map((state) => restrict(state, conflicted)),
    unconflicted: (key) => (conflicted.has(key) ? undefined : first.get(key)),
    unconflictedIds: () => idsExcept(first, conflicted),
  }
}

/** The conflicted state set: every event that stands in a conflicted entry. https://spec.matrix.org/v1.19/rooms/v2/#definitions */
export function conflictedIds<Key extends Name, Id extends Name>(conflict: Conflict<Key, Id>): Set<Id> {
  const ids = new Set<Id>()
  for (const set of conflict.sets) for (const id of set.values()) ids.add(id)
  return ids
}

/** Comparing to the first state finds every key: two others that differ cannot both agree with it. */
function addDifference<Key extends Name, Id extends Name>(
  first: ReadonlyMap<Key, Id>,
  other: ReadonlyMap<Key, Id>,
  conflicted: Set<Key>,
): void {
  let shared = 0
  for (const [key, id] of first) {
    const its = other.get(key)
    if (its !== undefined) shared++
    if (its !== id) conflicted.add(key)
  }
  if (shared === other.size) return
  for (const key of other.keys()) if (!first.has(key)) conflicted.add(key)
}

function restrict<Key extends Name, Id extends Name>(
  state: ReadonlyMap<Key, Id>,
  keys: ReadonlySet<Key>,
): ReadonlyMap<Key, Id> {
  const kept = new Map<Key, Id>()
  for (const key of keys) {
    const id = state.get(key)
    if (id !== undefined) kept.set(key, id)
  }
  return kept
}

function* idsExcept<Key extends Name, Id extends Name>(
  state: ReadonlyMap<Key, Id>,
  keys: ReadonlySet<Key>,
): Iterable<Id> {
  for (const [key, id] of state) if (!keys.has(key)) yield id
}
