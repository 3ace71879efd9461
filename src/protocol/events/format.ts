import { canonicalJson } from '#protocol/canonical-json.ts'
import { findNonCanonical } from '#protocol/find-non-canonical.ts'
import {
  type EventId,
  fitsIdentifier,
  parseEventId,
  parseHashRoomId,
  parseQualifiedRoomId,
  parseUserId,
  type RoomId,
} from '#protocol/identifiers.ts'
import { isPlainObject, RawNumber } from '#protocol/raw-number.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { get, getString, type JsonObject } from '#util/json.ts'
import { isRefusal, type Refusal, refused } from '#util/verdict.ts'
import { maxDepth } from './depth.ts'
import { eventIdOf, roomIdOfCreate } from './event-id.ts'
import type { Pdu, RoomEvent } from './pdu.ts'

/** The most bytes of an event as canonical JSON, with its signatures. https://spec.matrix.org/v1.19/client-server-api/#size-limits */
export const MAX_EVENT_BYTES = 65_536
/** The most events that `prev_events` may name. https://spec.matrix.org/v1.19/rooms/v12/#event-format */
export const MAX_PREV_EVENTS = 20
/** The most events that `auth_events` may name. https://spec.matrix.org/v1.19/rooms/v12/#event-format */
export const MAX_AUTH_EVENTS = 10

/** How strictly to judge. `anyReferenceCount` accepts more references than are allowed, as old rooms have them. */
export type FormatOptions = { readonly anyReferenceCount: boolean }

/**
 * Judges the format of an event as another server sent it (read by `readJson`), and finds its ID. An event that is
 * refused must be dropped. The refusal's rule is `format`, `canonical_json` or `size`.
 * Neither hashes nor signatures are judged here. https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export function readEvent(
  pdu: unknown,
  rules: RoomVersionRules,
  options: FormatOptions = { anyReferenceCount: false },
): RoomEvent | Refusal {
  if (!isPlainObject(pdu)) return malformed('an event that is a JSON object')
  const violation = findNonCanonical(pdu, rules)
  if (violation !== undefined) return refused('canonical_json', `${violation.reason} At ${violation.path}.`)
  if (Buffer.byteLength(canonicalJson(pdu)) > MAX_EVENT_BYTES) {
    return refused('size', `Expected an event of at most ${MAX_EVENT_BYTES} bytes.`)
  }
  const plain = readPlainFields(pdu)
  if (isRefusal(plain)) return plain
  const fault = faultInHashes(pdu) ?? faultInNumbers(pdu, rules) ?? faultInRedacts(pdu, rules)
  if (fault !== undefined) return fault
  const prevEvents = readReferences(pdu, 'prev_events', rules, options)
  if (isRefusal(prevEvents)) return prevEvents
  const authEvents = readReferences(pdu, 'auth_events', rules, options)
  if (isRefusal(authEvents)) return authEvents
  const eventId = eventIdOf(pdu, rules)
  if (eventId === undefined) return malformed('event_id to be an event ID with a server name')
  const roomId = readRoomId(pdu, eventId, rules)
  if (roomId === undefined) return malformed('room_id to be a room ID of the form of this room version')
  return {
    ...plain,
    eventId,
    roomId,
    originServerTs: numberOf(get(pdu, 'origin_server_ts')),
    depth: numberOf(get(pdu, 'depth')),
    prevEvents,
    authEvents,
    redacts: redactsOf(pdu, rules),
    pdu,
  }
}

/** The event that a redaction names, from the place its room version keeps it; `undefined` for all other events. https://spec.matrix.org/v1.19/rooms/v11/#moving-the-redacts-property-of-mroomredaction-events-to-a-content-property */
export const redactsOf = (pdu: Pdu, rules: RoomVersionRules): EventId | undefined =>
  get(pdu, 'type') === 'm.room.redaction'
    ? parseEventId(get(rules.redactsInContent ? get(pdu, 'content') : pdu, 'redacts'))
    : undefined

const malformed = (expected: string): Refusal => refused('format', `Expected ${expected}.`)

type PlainFields = Pick<RoomEvent, 'type' | 'sender' | 'stateKey' | 'content'>

function readPlainFields(pdu: Pdu): PlainFields | Refusal {
  const type = getString(pdu, 'type')
  if (type === undefined || !fitsIdentifier(type)) return malformed('type to be text of at most 255 bytes')
  const sender = parseUserId(get(pdu, 'sender'))
  if (sender === undefined) return malformed('sender to be a user ID of at most 255 bytes')
  const stateKey = getString(pdu, 'state_key')
  if (stateKey === undefined ? Object.hasOwn(pdu, 'state_key') : !fitsIdentifier(stateKey)) {
    return malformed('state_key to be text of at most 255 bytes')
  }
  const content = get(pdu, 'content')
  if (!isPlainObject(content)) return malformed('content to be an object')
  return { type, sender, stateKey, content }
}

function faultInHashes(pdu: Pdu): Refusal | undefined {
  if (getString(get(pdu, 'hashes'), 'sha256') === undefined) return malformed('hashes to hold a sha256')
  if (!isSignatures(get(pdu, 'signatures'))) return malformed('signatures to be objects of text by server name')
  const unsigned = get(pdu, 'unsigned')
  return unsigned === undefined || isPlainObject(unsigned) ? undefined : malformed('unsigned to be an object')
}

const isSignatures = (value: unknown): value is JsonObject =>
  isPlainObject(value) &&
  Object.values(value).every(
    (ofServer) => isPlainObject(ofServer) && Object.values(ofServer).every((each) => typeof each === 'string'),
  )

function faultInNumbers(pdu: Pdu, rules: RoomVersionRules): Refusal | undefined {
  const depth = get(pdu, 'depth')
  if (!isInteger(depth) || numberOf(depth) < 0 || numberOf(depth) > maxDepth(rules)) {
    return malformed(`depth to be an integer from 0 to 2^${rules.strictCanonicalJson ? 53 : 63} - 1`)
  }
  return isInteger(get(pdu, 'origin_server_ts')) ? undefined : malformed('origin_server_ts to be an integer')
}

/** Whether a number is an integer of 64 bits; before version 6 it may be one that a double cannot hold. */
function isInteger(value: unknown): boolean {
  if (!(value instanceof RawNumber)) return Number.isSafeInteger(value)
  return /^-?\d{1,19}$/.test(value.source) && BigInt.asIntN(64, BigInt(value.source)) === BigInt(value.source)
}

/** The nearest double to a number that `isInteger`. */
const numberOf = (value: unknown): number => (value instanceof RawNumber ? Number(value.source) : Number(value)) + 0

/** From version 11 `redacts` stands in the content, which is not judged here. */
function faultInRedacts(pdu: Pdu, rules: RoomVersionRules): Refusal | undefined {
  if (rules.redactsInContent || !Object.hasOwn(pdu, 'redacts')) return undefined
  return typeof pdu['redacts'] === 'string' ? undefined : malformed('redacts to be an event ID')
}

function readReferences(
  pdu: Pdu,
  field: 'prev_events' | 'auth_events',
  rules: RoomVersionRules,
  options: FormatOptions,
): readonly EventId[] | Refusal {
  const references = get(pdu, field)
  if (!Array.isArray(references)) return malformed(`${field} to be an array`)
  const limit = field === 'prev_events' ? MAX_PREV_EVENTS : MAX_AUTH_EVENTS
  if (references.length > limit && !options.anyReferenceCount) return malformed(`at most ${limit} ${field}`)
  const eventIds: EventId[] = []
  for (const reference of references) {
    const eventId = rules.referencesArePairs ? readPair(reference) : parseEventId(reference)
    if (eventId === undefined) return malformed(`${field} to name events in the form of this room version`)
    eventIds.push(eventId)
  }
  return eventIds
}

/** `[event_id, {"sha256": hash}]`; the hash is not relied on. */
const readPair = (value: unknown): EventId | undefined =>
  Array.isArray(value) && value.length === 2 && isPlainObject(value[1]) ? parseEventId(value[0]) : undefined

/**
 * From version 12 the create event has no room ID: it is the room ID. One that carries a room ID all the same belongs to
 * that room, where the authorization rules reject it.
 */
function readRoomId(pdu: Pdu, eventId: EventId, rules: RoomVersionRules): RoomId | undefined {
  if (!rules.roomIdIsCreateHash) return parseQualifiedRoomId(get(pdu, 'room_id'))
  const isCreate = get(pdu, 'type') === 'm.room.create' && get(pdu, 'state_key') === ''
  return isCreate && !Object.hasOwn(pdu, 'room_id') ? roomIdOfCreate(eventId) : parseHashRoomId(get(pdu, 'room_id'))
}
