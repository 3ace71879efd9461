import { get, isObject, type Json, type JsonObject } from '#util/json.ts'
import type { EventFilter, RoomEventFilter, RoomFilter } from './filter.ts'
import { compileGlob } from './glob.ts'
import { followPath, type PropertyPath, parsePropertyPath } from './property-path.ts'

/** What filters look at in an event. Ephemeral events and account data have no sender, and global ones no room. */
export type FilterableEvent = {
  readonly type: string
  readonly sender?: string | undefined
  readonly roomId?: string | undefined
  readonly content?: JsonObject | undefined
}

/** A relation that points at an event, for filters that ask for it. */
export type IncomingRelation = { readonly relType: string; readonly sender: string }

/** Decides whether an event passes; `relations` are those that point at it, needed where `needsRelations` says so. */
export type EventMatcher = (event: FilterableEvent, relations?: Iterable<IncomingRelation>) => boolean

/** Compiles a filter of events; worth keeping for as many events as it is used on. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export function compileFilter(filter: RoomEventFilter | EventFilter): EventMatcher {
  const checks: EventMatcher[] = []
  const isOfType = typeMatcher(filter.types)
  if (isOfType !== undefined) checks.push(({ type }) => isOfType(type))
  const isOfOtherType = typeMatcher(filter.notTypes)
  if (isOfOtherType !== undefined) checks.push(({ type }) => !isOfOtherType(type))
  const passesSender = members(filter.senders, filter.notSenders)
  if (passesSender !== undefined) checks.push(({ sender }) => passesSender(sender))
  if ('rooms' in filter || 'notRooms' in filter) {
    const passesRoom = members(filter.rooms, filter.notRooms)
    if (passesRoom !== undefined) checks.push(({ roomId }) => roomId === undefined || passesRoom(roomId))
  }
  if ('containsUrl' in filter && filter.containsUrl !== undefined) {
    const wanted = filter.containsUrl
    checks.push(({ content }) => (get(content, 'url') !== undefined) === wanted)
  }
  if (needsRelations(filter)) checks.push(relationCheck(filter))
  return (event, relations) => checks.every((check) => check(event, relations))
}

/** Whether one event passes a filter. For many events compile the filter. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export const matchesEvent = (
  filter: RoomEventFilter | EventFilter,
  event: FilterableEvent,
  relations?: Iterable<IncomingRelation>,
): boolean => compileFilter(filter)(event, relations)

/** Whether a filter asks which events relate to an event (MSC3440). */
export const needsRelations = (filter: RoomEventFilter | EventFilter): boolean =>
  get(filter, 'relatedByRelTypes') !== undefined || get(filter, 'relatedBySenders') !== undefined

/** Whether no event at all can pass a filter, so that none need be read. */
export const wantsNothing = (filter: RoomEventFilter): boolean =>
  filter.limit === 0 || [filter.types, filter.senders, filter.rooms].some((list) => list?.length === 0)

/** Compiles which rooms a filter wants. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export function compileRooms(filter: RoomFilter | RoomEventFilter): (roomId: string) => boolean {
  return members(filter.rooms, filter.notRooms) ?? (() => true)
}

/**
 * Compiles the fields that a filter wants of each event. A path into an event includes everything below it; what an
 * event lacks is left out. Absent: events pass as they are. https://spec.matrix.org/v1.19/client-server-api/#filtering
 */
export function compileFields(fields: readonly string[] | undefined): (event: JsonObject) => JsonObject {
  if (fields === undefined) return (event) => event
  const wanted: Wanted = new Map()
  for (const field of fields) addPath(wanted, parsePropertyPath(field))
  return (event) => pick(event, wanted)
}

/** Excluded even where included; `undefined` where the lists say nothing. */
function members(
  included: readonly string[] | undefined,
  excluded: readonly string[] | undefined,
): ((name: string | undefined) => boolean) | undefined {
  if (included === undefined && excluded === undefined) return undefined
  const wanted = included === undefined ? undefined : new Set<string | undefined>(included)
  const unwanted = new Set<string | undefined>(excluded)
  return (name) => !unwanted.has(name) && (wanted === undefined || wanted.has(name))
}

function typeMatcher(patterns: readonly string[] | undefined): ((type: string) => boolean) | undefined {
  if (patterns === undefined) return undefined
  const names = new Set(patterns.filter((pattern) => !pattern.includes('*')))
  const globs = patterns
    .filter((pattern) => pattern.includes('*'))
    .map((pattern) => compileGlob(pattern, { hasQuestionMark: false }))
  return (type) => names.has(type) || globs.some((matches) => matches(type))
}

/** One and the same relation must fulfil both. */
function relationCheck(filter: RoomEventFilter): EventMatcher {
  const isWantedType = members(filter.relatedByRelTypes, undefined) ?? (() => true)
  const isWantedSender = members(filter.relatedBySenders, undefined) ?? (() => true)
  return (_event, relations = []) => {
    for (const { relType, sender } of relations) if (isWantedType(relType) && isWantedSender(sender)) return true
    return false
  }
}

/** Names to keep, each with what to keep below it; an empty map keeps all. */
type Wanted = Map<string, Wanted>

function addPath(wanted: Wanted, path: PropertyPath): void {
  let level = wanted
  for (const [at, name] of path.entries()) {
    const known = level.get(name)
    const isLast = at === path.length - 1
    // A path that ends here wins over those that go on.
    if (known?.size === 0) return
    if (isLast || known === undefined) {
      const below: Wanted = new Map()
      level.set(name, below)
      level = below
    } else {
      level = known
    }
  }
}

function pick(value: JsonObject, wanted: Wanted): JsonObject {
  const picked: [string, Json][] = []
  for (const [name, below] of wanted) {
    const found = followPath(value, [name])
    if (found === undefined) continue
    const part = below.size === 0 ? found : pickBelow(found, below)
    if (part !== undefined) picked.push([name, part])
  }
  return Object.fromEntries(picked)
}

function pickBelow(value: Json, wanted: Wanted): Json | undefined {
  if (!isObject(value)) return undefined
  const part = pick(value, wanted)
  return Object.keys(part).length === 0 ? undefined : part
}
