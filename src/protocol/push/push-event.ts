import type { RoomEvent } from '#protocol/events/pdu.ts'
import { foldCase } from '#protocol/glob.ts'
import { followPath, parsePropertyPath } from '#protocol/property-path.ts'
import { get, type Json } from '#util/json.ts'

/** A path that conditions ask for, read once when the rules are compiled. */
export type PushProperty = { readonly key: string; readonly path: readonly string[] }

/** Reads the key of a condition. https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths */
export const pushProperty = (key: string): PushProperty => ({ key, path: parsePropertyPath(key) })

const BODY = pushProperty('content.body')

/**
 * An event as push rules look at it: properties are found by path when a condition asks, and text is folded once for
 * all members. Make one per event. https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export class PushEvent {
  readonly event: RoomEvent
  readonly #folded = new Map<string, string | undefined>()

  constructor(event: RoomEvent) {
    this.event = event
  }

  /** The value of a property, or `undefined`. The identifiers are those of the room version, not of the wire. */
  property(property: PushProperty): Json | undefined {
    const { event } = this
    const [name] = property.path
    if (name === 'content') return followPath(event.content, property.path, 1)
    if (property.path.length > 1) return followPath(event.pdu, property.path)
    if (name === 'type') return event.type
    if (name === 'sender') return event.sender
    if (name === 'state_key') return event.stateKey
    if (name === 'room_id') return event.roomId
    if (name === 'event_id') return event.eventId
    return followPath(event.pdu, property.path)
  }

  /** The text of a property with its case folded, or `undefined` where it is no text. */
  folded(property: PushProperty): string | undefined {
    const known = this.#folded.get(property.key)
    if (known !== undefined || this.#folded.has(property.key)) return known
    const value = this.property(property)
    const folded = typeof value === 'string' ? foldCase(value) : undefined
    this.#folded.set(property.key, folded)
    return folded
  }

  /** The folded text of the message, or `undefined`. */
  get foldedBody(): string | undefined {
    return this.folded(BODY)
  }

  /** Whether the event says itself whom it mentions. https://spec.matrix.org/v1.19/client-server-api/#user-and-room-mentions */
  get hasMentions(): boolean {
    return get(this.event.content, 'm.mentions') !== undefined
  }
}
