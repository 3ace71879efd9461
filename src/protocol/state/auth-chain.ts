import { type Conflict, conflictedIds, type Name } from './conflicted.ts'

/** The events that an event cites to be allowed; those that are not known are left out, or lead nowhere. */
export type AuthEvents<Id extends Name> = (id: Id) => readonly Id[]

/** Every event that can be reached over auth events, the given ones included. Cycles end. https://spec.matrix.org/v1.19/rooms/v2/#definitions */
export function authChain<Id extends Name>(starts: Iterable<Id>, authEvents: AuthEvents<Id>): Set<Id> {
  const seen = new Set<Id>(starts)
  // A set that grows while it is walked visits what was added: it is its own queue.
  for (const id of seen) for (const next of authEvents(id)) seen.add(next)
  return seen
}

/** What makes the auth difference cheaper to find. */
export type DifferenceHints<Id extends Name> = {
  /** Whether an event is part of the unconflicted state map. */
  readonly isUnconflicted?: (id: Id) => boolean
  /** Numbers of auth events are smaller than that of the event which cites them, so that walks can stop early. */
  readonly isTopological?: boolean
}

/**
 * The auth difference of the states behind a conflict, besides the conflicted events themselves: every event that can
 * be reached from one of the states and not from all. The events of a state count as reached from it, as deployed
 * servers have it; so an event that all states hold is never part of the difference.
 *
 * Only the conflicted entries are walked first; the unconflicted events are asked for where something is left that
 * they might reach. https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function authDifference<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
  authEvents: AuthEvents<Id>,
  { isUnconflicted = () => false, isTopological = false }: DifferenceHints<Id> = {},
): Set<Id> {
  const reached = new Map<Id, number>()
  for (const set of conflict.sets) {
    for (const id of authChain(set.values(), authEvents)) reached.set(id, (reached.get(id) ?? 0) + 1)
  }
  const conflicted = conflictedIds(conflict)
  const difference = new Set<Id>()
  for (const [id, count] of reached) {
    if (count < conflict.sets.length && !conflicted.has(id) && !isUnconflicted(id)) difference.add(id)
  }
  if (difference.size > 0) removeReached(difference, conflict.unconflictedIds(), { authEvents, isTopological })
  return difference
}

/**
 * The conflicted state subgraph: every event on a path over auth events from one conflicted event to another, both
 * included. https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */
export function conflictedSubgraph<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
  authEvents: AuthEvents<Id>,
): Set<Id> {
  const conflicted = conflictedIds(conflict)
  const citedBy = new Map<Id, Id[]>()
  for (const id of authChain(conflicted, authEvents)) {
    for (const cited of authEvents(id)) {
      const citing = citedBy.get(cited)
      if (citing === undefined) citedBy.set(cited, [id])
      else citing.push(id)
    }
  }
  // All of `citedBy` is reached from a conflicted event; what reaches one in turn lies between the two.
  return authChain(conflicted, (id) => citedBy.get(id) ?? [])
}

function removeReached<Id extends Name>(
  difference: Set<Id>,
  starts: Iterable<Id>,
  graph: { readonly authEvents: AuthEvents<Id>; readonly isTopological: boolean },
): void {
  const lowest = graph.isTopological ? smallest(difference) : undefined
  const seen = new Set<Id>()
  const pending: Id[] = []
  const visit = (id: Id): void => {
    if ((lowest !== undefined && id < lowest) || seen.has(id)) return
    seen.add(id)
    difference.delete(id)
    pending.push(id)
  }
  for (const start of starts) {
    visit(start)
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (difference.size === 0) return
      for (const next of graph.authEvents(id)) visit(next)
    }
  }
}

function smallest<Id extends Name>(ids: Iterable<Id>): Id | undefined {
  let least: Id | undefined
  for (const id of ids) if (least === undefined || id < least) least = id
  return least
}
