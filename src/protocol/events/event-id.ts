import { type EventId, parseQualifiedEventId, type RoomId } from '#protocol/identifiers.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { get } from '#util/json.ts'
import { essentialJson, referenceHash, sha256 } from './hashes.ts'
import type { Pdu, RoomEvent } from './pdu.ts'

/** The ID of an event: the one it carries (versions 1 and 2; `undefined` where that is none), or its reference hash. https://spec.matrix.org/v1.19/rooms/v4/#event-ids */
export const eventIdOf = (pdu: Pdu, rules: RoomVersionRules): EventId | undefined =>
  rules.eventId === 'opaque'
    ? parseQualifiedEventId(get(pdu, 'event_id'))
    : hashedEventId(essentialJson(pdu, rules), rules.eventId)

/** The ID that follows from the text under the reference hash (from version 3). https://spec.matrix.org/v1.19/rooms/v4/#event-ids */
export const hashedEventId = (essential: string, form: 'hash' | 'urlSafeHash'): EventId =>
  `$${sha256(essential, form === 'hash' ? 'base64' : 'base64url')}` as EventId

/** The ID of the room that a create event makes (from version 12). https://spec.matrix.org/v1.19/rooms/v12/#event-format */
export const roomIdOfCreate = (eventId: EventId): RoomId => `!${eventId.slice(1)}` as RoomId

/** The ID of the create event of a room (from version 12). https://spec.matrix.org/v1.19/rooms/v12/#event-format */
export const createEventIdOf = (roomId: RoomId): EventId => `$${roomId.slice(1)}` as EventId

/** How `prev_events` and `auth_events` name an event: by its ID, in versions 1 and 2 with its reference hash. https://spec.matrix.org/v1.19/rooms/v1/#event-format */
export type EventReference = EventId | readonly [EventId, { readonly sha256: string }]

/** The reference to an event as its room version writes it. https://spec.matrix.org/v1.19/rooms/v1/#event-format */
export const referenceTo = (event: Pick<RoomEvent, 'eventId' | 'pdu'>, rules: RoomVersionRules): EventReference =>
  rules.referencesArePairs ? [event.eventId, { sha256: referenceHash(event.pdu, rules) }] : event.eventId
