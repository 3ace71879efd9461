import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { boolean, bytes, integer, jsonText, optional, position, row, text } from '#storage/row.ts'
import { oneOf, oneOfText, sql, textValue } from '#storage/sql.ts'

const columns = {
  event: integer(),
  room: integer(),
  eventId: text(),
  pos: optional(position()),
  type: text(),
  stateKey: optional(integer()),
  sender: integer(),
  depth: integer(),
  originServerTs: integer(),
  receivedTs: integer(),
  isOutlier: boolean(),
  rejectedBy: optional(text()),
  isSoftFailed: boolean(),
  isBackfilled: boolean(),
  hasGapBefore: boolean(),
  redactedBy: optional(integer()),
  thread: optional(text()),
  unreadBits: integer(),
  prevEvents: bytes(),
  authEvents: bytes(),
  stateBefore: optional(integer()),
  stateAfter: optional(integer()),
}

/** What the server knows of an event besides its JSON. Numbers of events are room * 2^28 + n; states are n in their room. */
export const EVENT = row(columns)
export type EventRow = (typeof EVENT)['out']

const EVENT_JSON = row({ event: integer(), json: jsonText() })
const JSON_ONLY = row({ json: jsonText() })

/** An event with its JSON, canonical, as it came. */
export type StoredEvent = EventRow & { readonly json: string }
const STORED = row({ ...columns, json: jsonText() })
const e = EVENT.of('e')

/** An event is kept. */
export const eventAdded = operation('event_added', { row: EVENT, statement: { insert: 'events' } })
/** Its JSON is kept. */
export const eventJsonAdded = operation('event_json_added', { row: EVENT_JSON, statement: { insert: 'event_json' } })

/** A redaction takes effect on an event: it no longer counts as unread. */
export const eventRedacted = operation('event_redacted', {
  row: row({ event: integer(), redactedBy: integer() }),
  statement: { update: 'events', set: 'redacted_by = :redacted_by, unread_bits = 0', where: 't.event = :event' },
  scope: ({ event }) => `event:${event}`,
  fold: 'next batch',
})

/** The JSON of a redacted event is cut to what the redaction leaves. */
export const eventPruned = operation('event_pruned', {
  row: EVENT_JSON,
  statement: { update: 'event_json', set: 'json = :json', where: 't.event = :event' },
  scope: ({ event }) => `event json:${event}`,
  fold: 'last wins',
})

/** An event relates to another one. */
export const relationAdded = operation('relation_added', {
  row: row({
    room: integer(),
    target: text(),
    relType: text(),
    event: integer(),
    sender: integer(),
    type: text(),
    aggregationKey: optional(text()),
  }),
  statement: { insert: 'relations', ignoreExisting: true },
})

/** A redaction names an event, known or not. */
export const redactionAdded = operation('redaction_added', {
  row: row({ room: integer(), target: text(), event: integer() }),
  statement: { insert: 'redactions', ignoreExisting: true },
})

/** A parent of an event is missing. */
export const missingEventAdded = operation('missing_event_added', {
  row: row({ room: integer(), eventId: text(), child: integer() }),
  statement: { insert: 'missing_events', ignoreExisting: true },
})

/** Events by their numbers, with JSON, in no order. */
export const eventsByNumber = (db: Reader, events: Iterable<number>): Promise<StoredEvent[]> =>
  db.all(
    STORED,
    sql`SELECT ${e}, j.json FROM events AS e JOIN event_json AS j ON j.event = e.event WHERE e.event ${oneOf(events)}`,
  )

/** One event by its number, with JSON. */
export const eventByNumber = (db: Reader, event: number): Promise<StoredEvent | undefined> =>
  db.get(
    STORED,
    sql`SELECT ${e}, j.json FROM events AS e JOIN event_json AS j ON j.event = e.event WHERE e.event = ${event}`,
  )

/** An event of a room by its ID, with JSON. Events are reached only through their room. */
export const eventOfRoom = (db: Reader, room: number, eventId: string): Promise<StoredEvent | undefined> =>
  db.get(
    STORED,
    sql`SELECT ${e}, j.json FROM events AS e JOIN event_json AS j ON j.event = e.event
      WHERE e.event_id = ${textValue(eventId)} AND e.room = ${room}`,
  )

/** Those of the IDs that are events of the room, without JSON. */
export const eventRowsOfRoom = (db: Reader, room: number, eventIds: Iterable<string>): Promise<EventRow[]> =>
  db.all(EVENT, sql`SELECT ${EVENT} FROM events WHERE event_id ${oneOfText(eventIds)} AND room = ${room}`)

/** The last `limit` events that arrived in the room after `since` and up to `upTo`, newest first. Backfilled ones never arrive. */
export const arrivedEvents = (
  db: Reader,
  {
    room,
    since,
    upTo,
    limit,
  }: { readonly room: number; readonly since: number; readonly upTo: number; readonly limit: number },
): Promise<StoredEvent[]> =>
  db.all(
    STORED,
    sql`SELECT ${e}, j.json FROM log AS l JOIN events AS e ON e.event = l.item JOIN event_json AS j ON j.event = l.item
      WHERE l.room = ${room} AND l.kind = ${LOG_KIND.event} AND l.pos > ${since} AND l.pos <= ${upTo}
      ORDER BY l.pos DESC LIMIT ${limit}`,
  )

const STATE_AFTER = row({ stateAfter: optional(integer()) })
/** n of the state after the last event that had arrived in the room at a position, or `undefined`. */
export const stateAfterLast = async (db: Reader, room: number, pos: number): Promise<number | undefined> =>
  (
    await db.get(
      STATE_AFTER,
      sql`SELECT e.state_after FROM log AS l JOIN events AS e ON e.event = l.item
        WHERE l.room = ${room} AND l.kind = ${LOG_KIND.event} AND l.pos <= ${pos} AND e.state_after IS NOT NULL
        ORDER BY l.pos DESC LIMIT 1`,
    )
  )?.stateAfter

/** The JSON of one event. */
export const eventJson = async (db: Reader, event: number): Promise<string | undefined> =>
  (await db.get(JSON_ONLY, sql`SELECT ${JSON_ONLY} FROM event_json WHERE event = ${event}`))?.json

/** Where paging goes on: in the order of depth, then of arrival. */
export type PageStart = { readonly depth: number; readonly pos: number }

type Page = {
  readonly room: number
  /** Beyond this place; `undefined`: from the end that the direction begins at. */
  readonly from: PageStart | undefined
  readonly limit: number
}

/** Events before a place, the nearest first: those that arrived up to `upTo`, and backfilled ones. */
export const eventsBefore = (
  db: Reader,
  { room, from, upTo, limit }: Page & { readonly upTo: number },
): Promise<StoredEvent[]> =>
  db.all(
    STORED,
    sql`SELECT ${e}, j.json FROM events AS e JOIN event_json AS j ON j.event = e.event
      WHERE e.room = ${room} AND (e.depth, e.pos) < (${from?.depth ?? Number.MAX_SAFE_INTEGER}, ${from?.pos ?? Number.MAX_SAFE_INTEGER})
        AND (e.pos <= ${upTo} OR e.is_backfilled) AND NOT e.is_outlier AND e.rejected_by IS NULL AND NOT e.is_soft_failed
      ORDER BY e.depth DESC, e.pos DESC LIMIT ${limit}`,
  )

/** Events after a place, the nearest first: those that arrived after `since` and up to `upTo`. */
export const eventsAfter = (
  db: Reader,
  { room, from, since, upTo, limit }: Page & { readonly since: number; readonly upTo: number },
): Promise<StoredEvent[]> =>
  db.all(
    STORED,
    sql`SELECT ${e}, j.json FROM events AS e JOIN event_json AS j ON j.event = e.event
      WHERE e.room = ${room} AND (e.depth, e.pos) > (${from?.depth ?? -1}, ${from?.pos ?? -1})
        AND e.pos > ${since} AND e.pos <= ${upTo} AND NOT e.is_outlier AND e.rejected_by IS NULL AND NOT e.is_soft_failed
      ORDER BY e.depth, e.pos LIMIT ${limit}`,
  )

/** Whether rows of this kind are events that were read whole: for counting them. */
export const isWholeEvent = (codec: object): boolean => codec === STORED
