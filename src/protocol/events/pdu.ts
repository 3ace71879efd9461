import type { EventId, RoomId, UserId } from '#protocol/identifiers.ts'
import type { JsonObject } from '#util/json.ts'

/** A persistent data unit exactly as it stands on the wire and in storage. It is read, never rebuilt. */
export type Pdu = JsonObject

/**
 * An event whose format was judged: the fields that rules ask for, with the identifiers of its room version resolved.
 * `pdu` is the event as it came; nothing here may be used to build it again.
 */
export type RoomEvent = {
  readonly eventId: EventId
  readonly roomId: RoomId
  readonly type: string
  readonly sender: UserId
  /** Absent for message events; `''` is a state key. */
  readonly stateKey: string | undefined
  readonly content: JsonObject
  /** Milliseconds since 1970, as the origin claims. */
  readonly originServerTs: number
  readonly depth: number
  readonly prevEvents: readonly EventId[]
  readonly authEvents: readonly EventId[]
  /** The event that a redaction names, from the place its room version keeps it. */
  readonly redacts: EventId | undefined
  readonly pdu: Pdu
}
