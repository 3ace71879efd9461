import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { integer, position, row, text } from '#storage/row.ts'
import { oneOf, sql, textValue } from '#storage/sql.ts'

/** The kinds of receipts: for all to see, or for the user's own devices. */
export type ReceiptType = 'm.read' | 'm.read.private'

/** The thread of receipts that belong to none: they count for the whole room. */
export const UNTHREADED = ''
/** The thread of what is in no thread. https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts */
export const MAIN_THREAD = 'main'

/** How far a user has read. `thread` is `UNTHREADED`, `MAIN_THREAD` or the event ID of a thread's root. */
export const RECEIPT = row({
  room: integer(),
  user: integer(),
  type: text<ReceiptType>(),
  thread: text(),
  eventId: text(),
  /** Where the event arrived in the log; 0 if it did not, but was fetched as history. */
  eventPos: integer(),
  eventDepth: integer(),
  ts: integer(),
  pos: position(),
})
export type ReceiptRow = (typeof RECEIPT)['out']

/** Where an event stands in its room, as receipts count: by arrival, then by depth. */
export type ReadPlace = Pick<ReceiptRow, 'eventPos' | 'eventDepth'>

/** Whether an event comes after another one, as receipts count. */
export const isLater = (one: ReadPlace, than: ReadPlace): boolean =>
  one.eventPos === than.eventPos ? one.eventDepth > than.eventDepth : one.eventPos > than.eventPos

/** A receipt moves forward. One that would move back is left as it is. */
export const receiptMoved = operation('receipt_moved', {
  row: RECEIPT,
  statement: {
    upsert: 'receipts',
    key: ['room', 'user', 'type', 'thread'],
    when: `(excluded.event_pos > t.event_pos
      OR (excluded.event_pos = t.event_pos AND excluded.event_depth > t.event_depth))`,
    prunesLog: true,
  },
  scope: ({ room, user, type, thread }) => `receipt:${room}:${user}:${type}:${thread}`,
  fold: (earlier, later) => (isLater(later, earlier) ? later : earlier),
})

/** A user's receipt of a kind in a thread of a room, or `undefined`. */
export const receiptOf = (
  db: Reader,
  { room, user, type, thread }: Pick<ReceiptRow, 'room' | 'user' | 'type' | 'thread'>,
): Promise<ReceiptRow | undefined> =>
  db.get(
    RECEIPT,
    sql`SELECT ${RECEIPT} FROM receipts
      WHERE room = ${room} AND "user" = ${user} AND type = ${type} AND thread = ${textValue(thread)}`,
  )

/** A user's own receipts in a room, of both kinds and all threads, at most `limit`. */
export const receiptsOfUser = (
  db: Reader,
  { room, user, limit }: { readonly room: number; readonly user: number; readonly limit: number },
): Promise<ReceiptRow[]> =>
  db.all(RECEIPT, sql`SELECT ${RECEIPT} FROM receipts WHERE room = ${room} AND "user" = ${user} LIMIT ${limit}`)

/** The receipts of several rooms that `viewer` may see, of those that moved until then: the last `limit` of each room, newest first. */
export const receiptsOfRooms = (
  db: Reader,
  rooms: Iterable<number>,
  { viewer, upTo, limit }: { readonly viewer: number; readonly upTo: number; readonly limit: number },
): Promise<ReceiptRow[]> =>
  db.all(
    RECEIPT,
    sql`SELECT ${RECEIPT.of('c')} FROM rooms AS r JOIN receipts AS c ON c.room = r.room
      WHERE r.room ${oneOf(rooms)} AND c.pos <= ${upTo} AND (c.type <> 'm.read.private' OR c."user" = ${viewer})
        AND c.pos > coalesce((SELECT o.pos FROM receipts AS o WHERE o.room = r.room AND o.pos <= ${upTo}
          AND (o.type <> 'm.read.private' OR o."user" = ${viewer}) ORDER BY o.pos DESC LIMIT 1 OFFSET ${limit}), 0)
      ORDER BY c.pos DESC`,
  )

/** The receipts of a room that `viewer` may see, of those that moved in the range: the last `limit`, newest first. */
export const receiptsMoved = (
  db: Reader,
  {
    room,
    viewer,
    since,
    upTo,
    limit,
  }: {
    readonly room: number
    readonly viewer: number
    readonly since: number
    readonly upTo: number
    readonly limit: number
  },
): Promise<ReceiptRow[]> =>
  db.all(
    RECEIPT,
    sql`SELECT ${RECEIPT} FROM receipts
      WHERE room = ${room} AND pos > ${since} AND pos <= ${upTo}
        AND (type <> 'm.read.private' OR "user" = ${viewer})
      ORDER BY pos DESC LIMIT ${limit}`,
  )
