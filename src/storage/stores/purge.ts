import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { ROOM_SPAN, roomKey } from '#storage/room-key.ts'
import { integer, row, text } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'

// What belongs to a room goes by ranges of its keys, a few hundred rows at a time: first it is read how far that many rows reach.

const ROOM = row({ room: integer() })
const MEMBER = row({ room: integer(), user: integer() })
/** Keys from `first` to `last`, both of one room. */
const RANGE = row({ first: integer(), last: integer() })
const scope = ({ room }: { readonly room: number }) => `purge:${room}`
const rangeScope = ({ first }: { readonly first: number }) => `purge range:${first}`

/** The room is known no more. Its rows in other tables are removed by the operations below. */
export const roomPurged = operation('room_purged', {
  row: ROOM,
  statement: { remove: 'rooms', where: 't.room = :room' },
  scope: ({ room }) => `room:${room}`,
  fold: 'next batch',
})
/** The aliases of the room name nothing any more. */
export const aliasesPurged = operation('aliases_purged', {
  row: ROOM,
  statement: { remove: 'aliases', where: 't.room = :room' },
  scope: ({ room }) => `aliases of:${room}`,
})

/** A user has nothing to do with the room any more. */
export const membershipPurged = operation('membership_purged', {
  row: MEMBER,
  statement: { remove: 'memberships', where: 't.room = :room AND t."user" = :user' },
  scope: ({ room, user }) => `membership:${room}:${user}`,
  fold: 'next batch',
})
/** What the user had set for the room is gone. */
export const accountDataPurged = operation('account_data_purged', {
  row: MEMBER,
  statement: { remove: 'account_data', where: 't."user" = :user AND t.room = :room' },
})
/** The user's unread marks of the room are gone. */
export const unreadMarksPurged = operation('unread_marks_purged', {
  row: MEMBER,
  statement: { remove: 'unread_marks', where: 't."user" = :user AND t.room = :room' },
})
/** The log does not speak any more of what was the user's alone in the room. */
export const ownLogPurged = operation('own_log_purged', {
  row: MEMBER,
  statement: {
    remove: 'log',
    where: `t."user" = :user AND t.kind IN (${LOG_KIND.roomAccountData}, ${LOG_KIND.receipt}) AND t.item = :room`,
  },
})

/** Events of these numbers are gone. */
export const eventsPurged = operation('events_purged', {
  row: RANGE,
  statement: { remove: 'events', where: 't.event >= :first AND t.event <= :last' },
  scope: rangeScope,
})
/** Their JSON is gone. */
export const eventJsonPurged = operation('event_json_purged', {
  row: RANGE,
  statement: { remove: 'event_json', where: 't.event >= :first AND t.event <= :last' },
})
/** What they relate to is gone. */
export const relationsPurged = operation('relations_purged', {
  row: RANGE,
  statement: { remove: 'relations', where: 't.event >= :first AND t.event <= :last' },
})
/** By which transactions they were sent is gone. */
export const transactionsPurged = operation('transactions_purged', {
  row: RANGE,
  statement: { remove: 'transactions', where: 't.event >= :first AND t.event <= :last' },
})
/** State keys of these numbers are gone. */
export const stateKeysPurged = operation('state_keys_purged', {
  row: RANGE,
  statement: { remove: 'state_keys', where: 't.key >= :first AND t.key <= :last' },
})
/** States of these numbers are gone. */
export const statesPurged = operation('states_purged', {
  row: RANGE,
  statement: { remove: 'states', where: 't.state >= :first AND t.state <= :last' },
})

const TO_NAME = row({ room: integer(), upTo: text() })
const TO_NUMBER = row({ room: integer(), upTo: integer() })
/** Redactions in the room are gone, of all events up to an ID. */
export const redactionsPurged = operation('redactions_purged', {
  row: TO_NAME,
  statement: { remove: 'redactions', where: 't.room = :room AND t.target <= :up_to' },
  scope,
})
/** What is missing in the room is gone, up to an ID. */
export const missingEventsPurged = operation('missing_events_purged', {
  row: TO_NAME,
  statement: { remove: 'missing_events', where: 't.room = :room AND t.event_id <= :up_to' },
  scope,
})
/** The room's current states are gone, up to a position. */
export const currentStatesPurged = operation('current_states_purged', {
  row: TO_NUMBER,
  statement: { remove: 'current_states', where: 't.room = :room AND t.pos <= :up_to' },
  scope,
})
/** The room's receipts are gone, of all users up to a number. */
export const receiptsPurged = operation('receipts_purged', {
  row: TO_NUMBER,
  statement: { remove: 'receipts', where: 't.room = :room AND t."user" <= :up_to' },
  scope,
})
/** The log does not speak of the room any more, in entries of one kind up to a position. */
export const roomLogPurged = operation('room_log_purged', {
  row: row({ room: integer(), kind: integer(), upTo: integer() }),
  statement: { remove: 'log', where: 't.room = :room AND t.kind = :kind AND t.pos <= :up_to' },
  scope,
})

type Step = { readonly room: number; readonly limit: number }
const N = row({ n: integer() })
const NAME = row({ name: text() })

/** The number of the room's `limit`-th event, or the last one; `undefined` if there is none. */
export const eventStep = async (db: Reader, { room, limit }: Step): Promise<number | undefined> =>
  lastOf(
    await db.all(
      N,
      sql`SELECT event AS n FROM events WHERE event >= ${roomKey(room, 0)} AND event < ${roomKey(room, ROOM_SPAN)}
        ORDER BY event LIMIT ${limit}`,
    ),
  )
/** As `eventStep`, of the room's state keys. */
export const stateKeyStep = async (db: Reader, { room, limit }: Step): Promise<number | undefined> =>
  lastOf(
    await db.all(
      N,
      sql`SELECT key AS n FROM state_keys WHERE key >= ${roomKey(room, 0)} AND key < ${roomKey(room, ROOM_SPAN)}
        ORDER BY key LIMIT ${limit}`,
    ),
  )
/** As `eventStep`, of the room's states. */
export const stateStep = async (db: Reader, { room, limit }: Step): Promise<number | undefined> =>
  lastOf(
    await db.all(
      N,
      sql`SELECT state AS n FROM states WHERE state >= ${roomKey(room, 0)} AND state < ${roomKey(room, ROOM_SPAN)}
        ORDER BY state LIMIT ${limit}`,
    ),
  )
/** As `eventStep`, of the positions of the room's current states. */
export const currentStateStep = async (db: Reader, { room, limit }: Step): Promise<number | undefined> =>
  lastOf(await db.all(N, sql`SELECT pos AS n FROM current_states WHERE room = ${room} ORDER BY pos LIMIT ${limit}`))
/** As `eventStep`, of the users with receipts in the room. */
export const receiptStep = async (db: Reader, { room, limit }: Step): Promise<number | undefined> =>
  lastOf(await db.all(N, sql`SELECT "user" AS n FROM receipts WHERE room = ${room} ORDER BY "user" LIMIT ${limit}`))
/** As `eventStep`, of the positions of the room's log entries of a kind. */
export const logStep = async (db: Reader, kind: number, { room, limit }: Step): Promise<number | undefined> =>
  lastOf(
    await db.all(N, sql`SELECT pos AS n FROM log WHERE room = ${room} AND kind = ${kind} ORDER BY pos LIMIT ${limit}`),
  )
/** As `eventStep`, of the IDs of events in the room that redactions aim at. */
export const redactionStep = async (db: Reader, { room, limit }: Step): Promise<string | undefined> =>
  (
    await db.all(NAME, sql`SELECT target AS name FROM redactions WHERE room = ${room} ORDER BY target LIMIT ${limit}`)
  ).at(-1)?.name
/** As `eventStep`, of the IDs of events that the room lacks. */
export const missingEventStep = async (db: Reader, { room, limit }: Step): Promise<string | undefined> =>
  (
    await db.all(
      NAME,
      sql`SELECT event_id AS name FROM missing_events WHERE room = ${room} ORDER BY event_id LIMIT ${limit}`,
    )
  ).at(-1)?.name

const lastOf = (rows: readonly { readonly n: number }[]): number | undefined => rows.at(-1)?.n
