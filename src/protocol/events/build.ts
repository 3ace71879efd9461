import { canonicalMember, canonicalMembers, joinMembers } from '#protocol/canonical-json.ts'
import { findNonCanonical } from '#protocol/find-non-canonical.ts'
import { type EventId, fitsIdentifier, type RoomId, type UserId } from '#protocol/identifiers.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { signText } from '#protocol/signing/signing-key.ts'
import type { Json, JsonObject } from '#util/json.ts'
import { type Refusal, refused } from '#util/verdict.ts'
import { writeDepth } from './depth.ts'
import { type EventReference, hashedEventId, roomIdOfCreate } from './event-id.ts'
import { MAX_AUTH_EVENTS, MAX_EVENT_BYTES, MAX_PREV_EVENTS, redactsOf } from './format.ts'
import { sha256 } from './hashes.ts'
import type { Pdu, RoomEvent } from './pdu.ts'
import { redact } from './redact.ts'
import type { Signer } from './signatures.ts'

/** What a new event says; identifier, hashes and signature follow from it. */
export type EventTemplate = {
  readonly type: string
  readonly sender: UserId
  /** `undefined` for the create event of a room whose ID is its hash. */
  readonly roomId: RoomId | undefined
  /** `undefined` for a message event. */
  readonly stateKey: string | undefined
  readonly content: JsonObject
  /** Milliseconds since 1970. */
  readonly originServerTs: number
  readonly depth: number
  /** Event IDs; in versions 1 and 2 what `referenceTo` makes of the events. */
  readonly prevEvents: readonly EventReference[]
  readonly authEvents: readonly EventReference[]
  /** The event to redact; written where the room version keeps it. */
  readonly redacts: EventId | undefined
  /** The ID in versions 1 and 2, which ask for one that nobody has used; later versions do not look at it. */
  readonly eventId: EventId | undefined
}

/** A new event and its canonical JSON, as it is stored and sent. */
export type BuiltEvent = { readonly event: RoomEvent; readonly json: string }

/**
 * Makes, hashes and signs an event. Refused are content that the room version does not allow (rule `canonical_json`), too much of
 * it (`size`), and a template that lacks an ID or names too many events (`format`).
 * https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events
 */
export function buildEvent(template: EventTemplate, signer: Signer): BuiltEvent | Refusal {
  const { rules } = signer
  const fault = faultIn(template, rules)
  if (fault !== undefined) return fault
  const content = unsealed(template, rules)
  const violation = findNonCanonical(content, rules)
  if (violation !== undefined) return refused('canonical_json', `${violation.reason} At ${violation.path}.`)
  const { pdu, essential, json } = seal(content, signer)
  if (Buffer.byteLength(json) > MAX_EVENT_BYTES) {
    return refused('size', `Expected an event of at most ${MAX_EVENT_BYTES} bytes.`)
  }
  const eventId = rules.eventId === 'opaque' ? template.eventId : hashedEventId(essential, rules.eventId)
  if (eventId === undefined) return refused('format', 'Expected an event ID.')
  return { event: roomEvent(template, { pdu, eventId, rules }), json }
}

function faultIn(template: EventTemplate, rules: RoomVersionRules): Refusal | undefined {
  if (!fitsIdentifier(template.type) || !fitsIdentifier(template.stateKey ?? '')) {
    return refused('size', 'Expected type and state key of at most 255 bytes each.')
  }
  if (template.prevEvents.length > MAX_PREV_EVENTS || template.authEvents.length > MAX_AUTH_EVENTS) {
    return refused('format', `Expected at most ${MAX_PREV_EVENTS} prev_events and ${MAX_AUTH_EVENTS} auth_events.`)
  }
  const isRoomMaker = rules.roomIdIsCreateHash && template.type === 'm.room.create' && template.stateKey === ''
  if ((template.roomId === undefined) !== isRoomMaker) {
    return refused('format', 'Expected a room ID for all events but the one that makes it.')
  }
  return undefined
}

/** The event before it has hashes and signatures. */
function unsealed(template: EventTemplate, rules: RoomVersionRules): Pdu {
  const { redacts, roomId, stateKey } = template
  const isInContent = rules.redactsInContent
  const pdu: Record<string, Json> = {
    auth_events: template.authEvents,
    content: redacts !== undefined && isInContent ? { ...template.content, redacts } : template.content,
    depth: writeDepth(template.depth),
    origin_server_ts: template.originServerTs,
    prev_events: template.prevEvents,
    sender: template.sender,
    type: template.type,
  }
  if (rules.eventId === 'opaque' && template.eventId !== undefined) pdu['event_id'] = template.eventId
  if (redacts !== undefined && !isInContent) pdu['redacts'] = redacts
  if (roomId !== undefined) pdu['room_id'] = roomId
  if (stateKey !== undefined) pdu['state_key'] = stateKey
  return pdu
}

type Sealed = {
  readonly pdu: Pdu
  /** What is signed, and whose hash is the event ID. */
  readonly essential: string
  readonly json: string
}

/** Adds the content hash and the signature. Each property is printed once, however many texts it stands in. */
function seal(pdu: Pdu, { rules, serverName, signingKey }: Signer): Sealed {
  const members = canonicalMembers(pdu)
  const hashes = { sha256: sha256(joinMembers(members)) }
  members.set('hashes', canonicalMember('hashes', hashes))
  const hashed = { ...pdu, hashes }
  const essential = joinMembers(essentialMembers(hashed, members, rules))
  const signatures = { [serverName]: { [signingKey.keyId]: signText(essential, signingKey) } }
  members.set('signatures', canonicalMember('signatures', signatures))
  return { pdu: { ...hashed, signatures }, essential, json: joinMembers(members) }
}

/** Of the printed properties those that a redaction leaves. Of their values it changes that of `content` alone. */
function essentialMembers(
  pdu: Pdu,
  members: ReadonlyMap<string, string>,
  rules: RoomVersionRules,
): Map<string, string> {
  const essential = new Map<string, string>()
  for (const [key, value] of Object.entries(redact(pdu, rules))) {
    const printed = value === pdu[key] ? members.get(key) : canonicalMember(key, value)
    if (printed !== undefined) essential.set(key, printed)
  }
  return essential
}

function roomEvent(
  template: EventTemplate,
  { pdu, eventId, rules }: { readonly pdu: Pdu; readonly eventId: EventId; readonly rules: RoomVersionRules },
): RoomEvent {
  return {
    eventId,
    roomId: template.roomId ?? roomIdOfCreate(eventId),
    type: template.type,
    sender: template.sender,
    stateKey: template.stateKey,
    content: pdu['content'] as JsonObject,
    originServerTs: template.originServerTs,
    depth: template.depth,
    prevEvents: template.prevEvents.map(idOf),
    authEvents: template.authEvents.map(idOf),
    redacts: redactsOf(pdu, rules),
    pdu,
  }
}

const idOf = (reference: EventReference): EventId => (typeof reference === 'string' ? reference : reference[0])
