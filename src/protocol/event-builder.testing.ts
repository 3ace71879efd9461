import fc from 'fast-check'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { EventId, RoomId, UserId } from '#protocol/identifiers.ts'
import { type RoomVersionRules, roomVersion } from '#protocol/room-versions.ts'
import type { JsonObject } from '#util/json.ts'

/** What a test wants to say about an event; the rest is filled in. */
export type EventDraft = {
  readonly eventId?: string
  readonly roomId?: string
  readonly type?: string
  readonly sender?: string
  readonly stateKey?: string | undefined
  readonly content?: JsonObject
  readonly originServerTs?: number
  readonly depth?: number
  readonly prevEvents?: readonly string[]
  readonly authEvents?: readonly string[]
  readonly redacts?: string
}

/** An event for tests of the protocol floor: never signed, never judged, with a wire form that agrees with its fields. */
export function roomEvent(draft: EventDraft): RoomEvent {
  const event = {
    eventId: (draft.eventId ?? '$event') as EventId,
    roomId: (draft.roomId ?? '!room:x') as RoomId,
    type: draft.type ?? 'm.room.message',
    sender: (draft.sender ?? '@alice:x') as UserId,
    stateKey: draft.stateKey,
    content: draft.content ?? {},
    originServerTs: draft.originServerTs ?? 0,
    depth: draft.depth ?? 1,
    prevEvents: (draft.prevEvents ?? []) as readonly EventId[],
    authEvents: (draft.authEvents ?? []) as readonly EventId[],
    redacts: draft.redacts as EventId | undefined,
  }
  const pdu: JsonObject = {
    event_id: event.eventId,
    // A room whose ID is the hash of its create event has no room ID in that event.
    ...(event.type === 'm.room.create' && event.roomId.slice(1) === event.eventId.slice(1)
      ? {}
      : { room_id: event.roomId }),
    type: event.type,
    sender: event.sender,
    ...(event.stateKey === undefined ? {} : { state_key: event.stateKey }),
    content: event.content,
    origin_server_ts: event.originServerTs,
    depth: event.depth,
    prev_events: event.prevEvents,
    auth_events: event.authEvents,
  }
  return { ...event, pdu }
}

/** The rules of a version that the test knows to exist. */
export function rulesOf(version: string): RoomVersionRules {
  const rules = roomVersion(version)
  if (rules === undefined) throw new Error(`no room version ${version}`)
  return rules
}

const keys = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', 'a.b', 'content', 'type', 'm.relates_to'),
)
const tied = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.string({ maxLength: 12 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4 }),
  ),
}))

/** Any JSON value, with the keys that trip people up. */
export const anyJson = tied.value.map((value) => JSON.parse(JSON.stringify(value)) as JsonObject[string])
/** Any JSON object. */
export const anyJsonObject = fc
  .dictionary(keys, tied.value, { maxKeys: 5 })
  .map((value) => JSON.parse(JSON.stringify(value)) as JsonObject)
