import type { RoomEvent } from '#protocol/events/pdu.ts'
import { fitsIdentifier } from '#protocol/identifiers.ts'
import { get, getString, type JsonObject } from '#util/json.ts'
import { allowed, refused, type Verdict } from '#util/verdict.ts'

/** How an event relates to another. https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events */
export type Relation = {
  readonly relType: string
  /** The parent. Whether it exists, and is in the same room, is for the reader to see. */
  readonly eventId: string
  /** What an annotation annotates with. */
  readonly key: string | undefined
  /** The reply of a threaded event is only there for clients that do not know threads. */
  readonly isFallingBack: boolean
}

/** How many relations are followed to find the thread of an event. https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts */
export const MAX_THREAD_HOPS = 3

/** The relation that a content states, or `undefined` where it states none or breaks the schema: such are ignored. https://spec.matrix.org/v1.19/client-server-api/#forming-relationships-between-events */
export function readRelation(content: JsonObject): Relation | undefined {
  const relatesTo = get(content, 'm.relates_to')
  const relType = getString(relatesTo, 'rel_type')
  const eventId = eventIdIn(relatesTo)
  if (relType === undefined || relType === '' || !fitsIdentifier(relType) || eventId === undefined) return undefined
  return {
    relType,
    eventId,
    key: getString(relatesTo, 'key'),
    isFallingBack: get(relatesTo, 'is_falling_back') === true,
  }
}

/** The event that a content replies to, or `undefined`. https://spec.matrix.org/v1.19/client-server-api/#rich-replies */
export const replyTarget = (content: JsonObject): string | undefined =>
  eventIdIn(get(get(content, 'm.relates_to'), 'm.in_reply_to'))

/** Whether an event can be the root of a thread: only what is no child of a relation itself. https://spec.matrix.org/v1.19/client-server-api/#validation-of-mthread-relationships */
export const mayBeThreadRoot = (event: RoomEvent): Verdict =>
  readRelation(event.content) === undefined
    ? allowed
    : refused('thread_root', 'A thread cannot start from an event that relates to another')

/**
 * The root of the thread that an event belongs to, or `undefined` for the main timeline, where roots and what relates
 * to them otherwise belong. Relations are followed as far as `MAX_THREAD_HOPS` through `lookUp`, inside the room.
 * https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts
 */
export function threadOf(event: RoomEvent, lookUp: (eventId: string) => RoomEvent | undefined): string | undefined {
  let current: RoomEvent | undefined = event
  for (let hops = 0; hops <= MAX_THREAD_HOPS && current?.roomId === event.roomId; hops++) {
    const relation = readRelation(current.content)
    if (relation === undefined) return undefined
    if (relation.relType === 'm.thread') return relation.eventId
    current = lookUp(relation.eventId)
  }
  return undefined
}

/**
 * Whether an event is a valid replacement of another. Of encrypted events only clients can see whether there is new
 * content. A redacted event has lost its relation, and so is no replacement; whether the original is redacted the
 * caller says, for then nothing replaces it. https://spec.matrix.org/v1.19/client-server-api/#validity-of-replacement-events
 */
export function isValidEdit(edit: RoomEvent, original: RoomEvent, isOriginalRedacted = false): Verdict {
  const relation = readRelation(edit.content)
  const refuse = (reason: string): Verdict => refused('replacement', reason)
  if (relation?.relType !== 'm.replace' || relation.eventId !== original.eventId)
    return refuse('It replaces another event')
  if (isOriginalRedacted) return refuse('The original was redacted')
  if (edit.roomId !== original.roomId) return refuse('The original is in another room')
  if (edit.sender !== original.sender) return refuse('The original is of another sender')
  if (edit.type !== original.type) return refuse('The original has another type')
  if (edit.stateKey !== undefined || original.stateKey !== undefined)
    return refuse('State cannot be replaced in this way')
  if (readRelation(original.content)?.relType === 'm.replace') return refuse('The original is a replacement itself')
  if (edit.type === 'm.room.encrypted') return allowed
  return get(edit.content, 'm.new_content') === undefined ? refuse('It has no new content') : allowed
}

/** Whether one replacement is more recent than another: by time, then by event ID. https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mreplace-relationships */
export const isNewerEdit = (edit: RoomEvent, than: RoomEvent): boolean =>
  edit.originServerTs === than.originServerTs ? edit.eventId > than.eventId : edit.originServerTs > than.originServerTs

function eventIdIn(value: unknown): string | undefined {
  const eventId = getString(value, 'event_id')
  return eventId?.startsWith('$') && fitsIdentifier(eventId) ? eventId : undefined
}
