import { createHash } from 'node:crypto'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { Conflict, Name } from './conflicted.ts'
import { type ResolutionContext, type StateForCheck, stateMaker } from './resolution-context.ts'

type Entry<Id extends Name> = { readonly id: Id; readonly event: RoomEvent; readonly hash: string }

/**
 * State resolution of room version 1. Its notion of conflict is narrower: a key that only some states have is no
 * conflict. Each key is resolved by the state before its pass, so that the order of keys does not matter; where no
 * candidate of an ordinary key passes, the one of least depth is taken, which the specification leaves open.
 * Events that are not known take no part. https://spec.matrix.org/v1.19/rooms/v1/#state-resolution
 */
export function resolveConflictV1<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
  context: ResolutionContext<Key, Id>,
): ReadonlyMap<Key, Id> {
  const resolved = new Map<Key, Id>()
  const open = new Map<Key, readonly Entry<Id>[]>()
  for (const [key, ids] of candidatesByKey(conflict)) {
    const [only] = ids
    if (ids.size === 1 && only !== undefined) resolved.set(key, only)
    else open.set(key, ascending(ids, context))
  }
  const state: StateForCheck['get'] = (type, stateKey) => {
    const key = context.keyOf(type, stateKey)
    const id = conflict.unconflicted(key) ?? resolved.get(key)
    return id === undefined ? undefined : context.event(id)
  }
  const stateOf = stateMaker(context.rules, undefined)
  const isAllowed: IsAllowed = (event, by) => context.isAllowed(event, stateOf(by)).ok
  for (const pass of PASSES) {
    const decided: (readonly [Key, Id])[] = []
    for (const [key, entries] of open) {
      const [first] = entries
      if (first === undefined || !pass.takes(first.event.type)) continue
      decided.push([key, pass.decide(entries, state, isAllowed, first).id])
      open.delete(key)
    }
    for (const [key, id] of decided) resolved.set(key, id)
  }
  return resolved
}

type IsAllowed = (event: RoomEvent, by: StateForCheck['get']) => boolean
type Decide = <Id extends Name>(
  entries: readonly Entry<Id>[],
  state: StateForCheck['get'],
  isAllowed: IsAllowed,
  first: Entry<Id>,
) => Entry<Id>

/** Adds the first, then each next that the state with the one before allows, until one is not allowed. */
const decideAuthEvent: Decide = (entries, state, isAllowed, first) => {
  let current = first
  for (const next of entries.slice(1)) {
    const { event } = current
    const by: StateForCheck['get'] = (type, stateKey) =>
      type === event.type && stateKey === event.stateKey ? event : state(type, stateKey)
    if (!isAllowed(next.event, by)) return current
    current = next
  }
  return current
}

/** The allowed one of highest depth, then lowest hash. */
const decideOther: Decide = (entries, state, isAllowed, first) =>
  entries.findLast(({ event }) => isAllowed(event, state)) ?? first

const PASSES: readonly { readonly takes: (type: string) => boolean; readonly decide: Decide }[] = [
  { takes: (type) => type === 'm.room.power_levels', decide: decideAuthEvent },
  { takes: (type) => type === 'm.room.join_rules', decide: decideAuthEvent },
  { takes: (type) => type === 'm.room.member', decide: decideAuthEvent },
  { takes: () => true, decide: decideOther },
]

function candidatesByKey<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
): ReadonlyMap<Key, ReadonlySet<Id>> {
  const candidates = new Map<Key, Set<Id>>()
  for (const set of conflict.sets) {
    for (const [key, id] of set) {
      const ids = candidates.get(key)
      if (ids === undefined) candidates.set(key, new Set([id]))
      else ids.add(id)
    }
  }
  return candidates
}

/** Ascending depth, then descending SHA-1 of the event ID. */
function ascending<Key extends Name, Id extends Name>(
  ids: ReadonlySet<Id>,
  context: ResolutionContext<Key, Id>,
): readonly Entry<Id>[] {
  const entries: Entry<Id>[] = []
  for (const id of ids) {
    const event = context.event(id)
    if (event?.stateKey === undefined) continue
    entries.push({ id, event, hash: createHash('sha1').update(event.eventId).digest('hex') })
  }
  return entries.sort((x, y) => {
    if (x.event.depth !== y.event.depth) return x.event.depth < y.event.depth ? -1 : 1
    return x.hash > y.hash ? -1 : 1
  })
}
