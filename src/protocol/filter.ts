import { get, isObject, type Json, type JsonObject } from '#util/json.ts'
import { isRefusal, type Refusal, refused } from '#util/verdict.ts'

/** Which events of one kind a client wants; an absent list excludes nothing. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export type EventFilter = {
  /** How many at most; to be held against the endpoint's own bounds with `limitOf`. 0 asks for none. */
  readonly limit?: number
  /** Types, in which `*` stands for any characters. */
  readonly types?: readonly string[]
  readonly notTypes?: readonly string[]
  readonly senders?: readonly string[]
  readonly notSenders?: readonly string[]
}

/** Which events of rooms a client wants. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export type RoomEventFilter = EventFilter & {
  readonly rooms?: readonly string[]
  readonly notRooms?: readonly string[]
  /** Only events with a `url` in their content, or only those without. */
  readonly containsUrl?: boolean
  readonly lazyLoadMembers?: boolean
  readonly includeRedundantMembers?: boolean
  readonly unreadThreadNotifications?: boolean
  /** Only events that another relates to in one of these ways (MSC3440). */
  readonly relatedByRelTypes?: readonly string[]
  /** Only events that one of these users related another to (MSC3440). */
  readonly relatedBySenders?: readonly string[]
}

/** Which rooms a client wants, and what of them. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export type RoomFilter = {
  readonly rooms?: readonly string[]
  readonly notRooms?: readonly string[]
  readonly includeLeave?: boolean
  readonly ephemeral: RoomEventFilter
  readonly state: RoomEventFilter
  readonly timeline: RoomEventFilter
  readonly accountData: RoomEventFilter
}

/** What a client wants of its answers. Without a word about something it wants all of it. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export type Filter = {
  /** Paths of the fields to include; absent: all. */
  readonly eventFields?: readonly string[]
  readonly eventFormat: 'client' | 'federation'
  readonly presence: EventFilter
  readonly accountData: EventFilter
  readonly room: RoomFilter
}

/** How many entries a list of a filter may have. */
export const MAX_FILTER_ENTRIES = 10_000
/** How long a text in a filter may be, in UTF-16 units. */
export const MAX_FILTER_TEXT = 1024

/**
 * Reads a filter; fields that are not known are ignored. Refused by `filter` where a known one has the wrong type, a
 * user or room ID lacks its sigil, or a list or text is too long. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter
 */
export function parseFilter(json: Json): Filter | Refusal {
  const read = readFields(json, filterFields, 'filter')
  if (isRefusal(read)) return read
  const room = readFields(partOf(json, 'room'), roomFields, 'room')
  if (isRefusal(room)) return room
  const parts = new Map<string, RoomEventFilter>()
  for (const [name, part] of Object.entries(roomParts)) {
    const found = readFields(partOf(get(json, 'room'), part), roomEventFields, `room.${part}`)
    if (isRefusal(found)) return found
    parts.set(name, found)
  }
  const presence = readFields(partOf(json, 'presence'), eventFields, 'presence')
  if (isRefusal(presence)) return presence
  const accountData = readFields(partOf(json, 'account_data'), eventFields, 'account_data')
  if (isRefusal(accountData)) return accountData
  return {
    eventFormat: 'client',
    ...read,
    presence,
    accountData,
    room: { ephemeral: {}, state: {}, timeline: {}, accountData: {}, ...room, ...Object.fromEntries(parts) },
  }
}

/** Reads the filter of an endpoint that pages through the events of one room. Refused as by `parseFilter`. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages */
export const parseRoomEventFilter = (json: Json): RoomEventFilter | Refusal =>
  readFields(json, roomEventFields, 'filter')

/** The JSON of a filter, without what was not known of the one it was read from. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridfilterfilterid */
export function filterToJson(filter: Filter): JsonObject {
  const parts = Object.entries(roomParts).map(([name, part]) => [
    part,
    writeFields(get(filter.room, name), roomEventFields),
  ])
  return {
    ...writeFields(filter, filterFields),
    presence: writeFields(filter.presence, eventFields),
    account_data: writeFields(filter.accountData, eventFields),
    room: { ...writeFields(filter.room, roomFields), ...Object.fromEntries(parts) },
  }
}

/** The filter that wants everything. */
export const everything: Filter = {
  eventFormat: 'client',
  presence: {},
  accountData: {},
  room: { ephemeral: {}, state: {}, timeline: {}, accountData: {} },
}

/** How many events to give: what the filter asks for within `max`, or `fallback` where it does not say. */
export const limitOf = (filter: EventFilter, bounds: { readonly fallback: number; readonly max: number }): number =>
  Math.min(filter.limit ?? bounds.fallback, bounds.max)

/** A field: its name on the wire, how its value is judged, and what is expected in words. */
type Field = { readonly wire: string; readonly accepts: (value: Json) => boolean; readonly expected: string }
type Fields = Readonly<Record<string, Field>>

const isText = (value: Json): value is string => typeof value === 'string' && value.length <= MAX_FILTER_TEXT
const listOf = (accepts: (value: Json) => boolean) => (value: Json) =>
  Array.isArray(value) && value.length <= MAX_FILTER_ENTRIES && value.every(accepts)
const texts = (wire: string): Field => ({ wire, accepts: listOf(isText), expected: 'a list of texts' })
const users = (wire: string): Field => ({
  wire,
  accepts: listOf((value) => isText(value) && value.startsWith('@')),
  expected: 'a list of user IDs',
})
const rooms = (wire: string): Field => ({
  wire,
  accepts: listOf((value) => isText(value) && value.startsWith('!')),
  expected: 'a list of room IDs',
})
const flag = (wire: string): Field => ({
  wire,
  accepts: (value) => typeof value === 'boolean',
  expected: 'true or false',
})

const eventFields: Fields = {
  limit: {
    wire: 'limit',
    accepts: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    expected: 'an integer, not negative',
  },
  types: texts('types'),
  notTypes: texts('not_types'),
  senders: users('senders'),
  notSenders: users('not_senders'),
}
const roomEventFields: Fields = {
  ...eventFields,
  rooms: rooms('rooms'),
  notRooms: rooms('not_rooms'),
  containsUrl: flag('contains_url'),
  lazyLoadMembers: flag('lazy_load_members'),
  includeRedundantMembers: flag('include_redundant_members'),
  unreadThreadNotifications: flag('unread_thread_notifications'),
  relatedByRelTypes: texts('related_by_rel_types'),
  relatedBySenders: users('related_by_senders'),
}
const roomFields: Fields = {
  rooms: rooms('rooms'),
  notRooms: rooms('not_rooms'),
  includeLeave: flag('include_leave'),
}
const filterFields: Fields = {
  eventFields: texts('event_fields'),
  eventFormat: {
    wire: 'event_format',
    accepts: (value) => value === 'client' || value === 'federation',
    expected: 'client or federation',
  },
}
const roomParts = { ephemeral: 'ephemeral', state: 'state', timeline: 'timeline', accountData: 'account_data' }

/** A part that is not there wants everything; `null` is there, and no object. */
const partOf = (json: Json | undefined, name: string): Json => {
  const part = get(json, name)
  return part === undefined ? {} : part
}

/** No field is called `ok`, so a refusal cannot be mistaken for what was read. */
function readFields(json: Json, fields: Fields, where: string): Record<string, never> | Refusal {
  if (!isObject(json)) return refused('filter', `${where} must be an object`)
  const read: [string, Json][] = []
  for (const [name, { wire, accepts, expected }] of Object.entries(fields)) {
    const value = get(json, wire)
    if (value === undefined) continue
    if (!accepts(value)) return refused('filter', `${where}: ${wire} must be ${expected}`)
    read.push([name, value])
  }
  // Each value was accepted by the field of that name.
  return Object.fromEntries(read) as Record<string, never>
}

function writeFields(filter: unknown, fields: Fields): JsonObject {
  const written: [string, Json][] = []
  for (const [name, { wire }] of Object.entries(fields)) {
    const value = get(filter, name)
    if (value !== undefined) written.push([wire, value])
  }
  return Object.fromEntries(written)
}
