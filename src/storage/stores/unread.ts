import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { integer, optional, position, row, text } from '#storage/row.ts'
import { oneOf, sql, textValue } from '#storage/sql.ts'

/** What an event means to one member beyond, or short of, what it means to those with untouched push rules. */
export const UNREAD_MARK = row({
  user: integer(),
  room: integer(),
  pos: position(),
  thread: optional(text()),
  /** To be added to the counts: -1, 0 or 1. */
  notify: integer(),
  highlight: integer(),
})
export type UnreadMarkRow = (typeof UNREAD_MARK)['out']

/** An event means something else to a member. */
export const unreadMarkAdded = operation('unread_mark_added', {
  row: UNREAD_MARK,
  statement: { insert: 'unread_marks' },
})

/** A member read up to there, in a thread, outside threads ('main') or everywhere (''): their marks of it are of no use any more. */
export const unreadMarksPassed = operation('unread_marks_passed', {
  row: row({ user: integer(), room: integer(), thread: text(), upTo: integer() }),
  statement: {
    remove: 'unread_marks',
    where: `t."user" = :user AND t.room = :room AND t.pos <= :up_to
      AND (:thread = '' OR t.thread = :thread OR (:thread = 'main' AND t.thread IS NULL))`,
  },
  scope: ({ user, room, thread }) => `unread marks:${user}:${room}:${thread}`,
  fold: (earlier, later) => (later.upTo > earlier.upTo ? later : earlier),
})

/** Counts stop here: clients show no more anyway. */
export const MAX_COUNTED = 10_000

const COUNTED = row({ thread: optional(text()), notify: integer(), highlight: integer() })
export type CountedThread = (typeof COUNTED)['out']

type Range = {
  readonly room: number
  readonly user: number
  /** What was read. */
  readonly after: number
  readonly upTo: number
  /** Numbers of users whose events do not count. */
  readonly ignored: Iterable<number>
}

/** Counts by thread of what notifies those with untouched rules and was not sent by the user or by those who are ignored. */
export const unreadByThread = (db: Reader, { room, user, after, upTo, ignored }: Range): Promise<CountedThread[]> =>
  db.all(
    COUNTED,
    sql`SELECT u.thread, count(*) AS notify, sum(CASE WHEN u.unread_bits = 3 THEN 1 ELSE 0 END) AS highlight
      FROM (SELECT thread, unread_bits FROM events
        WHERE room = ${room} AND unread_bits <> 0 AND pos > ${after} AND pos <= ${upTo} AND sender <> ${user}
          AND NOT sender ${oneOf(ignored)} ORDER BY pos DESC LIMIT ${MAX_COUNTED}) AS u GROUP BY u.thread`,
  )

/** As `unreadByThread`, of one thread. */
export const unreadOfThread = async (
  db: Reader,
  thread: string,
  { room, user, after, upTo, ignored }: Range,
): Promise<Pick<CountedThread, 'notify' | 'highlight'>> => {
  const found = await db.get(
    COUNTED,
    sql`SELECT u.thread, count(*) AS notify, sum(CASE WHEN u.unread_bits = 3 THEN 1 ELSE 0 END) AS highlight
      FROM (SELECT thread, unread_bits FROM events
        WHERE room = ${room} AND thread = ${textValue(thread)} AND unread_bits <> 0 AND pos > ${after} AND pos <= ${upTo}
          AND sender <> ${user} AND NOT sender ${oneOf(ignored)} ORDER BY pos DESC LIMIT ${MAX_COUNTED}) AS u GROUP BY u.thread`,
  )
  return found ?? { notify: 0, highlight: 0 }
}

const m = UNREAD_MARK.of('m')

/** The member's own marks, but those of events that are redacted: the bits of these are gone too. */
export const unreadMarks = (db: Reader, { room, user, after, upTo, ignored }: Range): Promise<UnreadMarkRow[]> =>
  db.all(
    UNREAD_MARK,
    sql`SELECT ${m} FROM unread_marks AS m JOIN log AS l ON l.pos = m.pos JOIN events AS e ON e.event = l.item
      WHERE m."user" = ${user} AND m.room = ${room} AND m.pos > ${after} AND m.pos <= ${upTo} AND e.redacted_by IS NULL
        AND NOT e.sender ${oneOf(ignored)} LIMIT ${MAX_COUNTED}`,
  )

const SENT = row({ thread: optional(text()), pos: integer() })
/** The last event of each thread that the user sent and that notifies those with untouched rules. */
export const lastSent = (
  db: Reader,
  { room, user, after, upTo }: Omit<Range, 'ignored'>,
): Promise<(typeof SENT)['out'][]> =>
  db.all(
    SENT,
    sql`SELECT u.thread, max(u.pos) AS pos FROM (SELECT thread, pos, sender FROM events
        WHERE room = ${room} AND unread_bits <> 0 AND pos > ${after} AND pos <= ${upTo}
        ORDER BY pos DESC LIMIT ${MAX_COUNTED}) AS u WHERE u.sender = ${user} GROUP BY u.thread`,
  )

/** Threads beyond so many that are read further than the room count as read as far as the room. */
const MAX_THREADS = 1_000

const READ_UP_TO = row({ type: text(), thread: text(), eventPos: integer() })
/**
 * How far a user has read in a room, by the kind of receipt and thread ('' for receipts of no thread); of threads those that are read
 * further than the room is, the furthest first.
 */
export const readUpTo = (
  db: Reader,
  { room, user, since }: { readonly room: number; readonly user: number; readonly since: number },
): Promise<(typeof READ_UP_TO)['out'][]> =>
  db.all(
    READ_UP_TO,
    sql`SELECT ${READ_UP_TO} FROM receipts WHERE room = ${room} AND "user" = ${user}
      AND type IN ('m.read', 'm.read.private') AND event_pos > ${since}
      ORDER BY CASE WHEN thread IN ('', 'main') THEN 0 ELSE 1 END, event_pos DESC LIMIT ${MAX_THREADS}`,
  )
