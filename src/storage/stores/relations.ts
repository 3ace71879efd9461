import type { Reader } from '#storage/database.ts'
import { integer, row, text } from '#storage/row.ts'
import { oneOfText, sql } from '#storage/sql.ts'

const RELATED = row({ target: text(), event: integer(), sender: integer(), originServerTs: integer(), eventId: text() })
/** An event that relates to another one. */
export type RelatedRow = (typeof RELATED)['out']

/** Of how many related events a look-up takes note at most. */
export const MAX_RELATED = 1_000

/** Events, and the position after which nothing that relates to them counts. */
export type Targets = { readonly ids: Iterable<string>; readonly upTo: number }

/** The edits of these events that are not redacted themselves, the newest first. */
export const editsOf = (db: Reader, room: number, { ids, upTo }: Targets): Promise<RelatedRow[]> =>
  db.all(
    RELATED,
    sql`SELECT r.target, r.event, r.sender, e.origin_server_ts, e.event_id FROM relations AS r
      JOIN events AS e ON e.event = r.event
      WHERE r.room = ${room} AND r.target ${oneOfText(ids)} AND r.rel_type = 'm.replace'
        AND (e.pos IS NULL OR e.pos <= ${upTo})
        AND e.redacted_by IS NULL AND e.rejected_by IS NULL AND NOT e.is_soft_failed
      ORDER BY e.origin_server_ts DESC, e.event_id DESC LIMIT ${MAX_RELATED}`,
  )

/** The events that refer to these by `m.reference`, oldest first. */
export const referencesTo = (db: Reader, room: number, { ids, upTo }: Targets): Promise<RelatedRow[]> =>
  db.all(
    RELATED,
    sql`SELECT r.target, r.event, r.sender, e.origin_server_ts, e.event_id FROM relations AS r
      JOIN events AS e ON e.event = r.event
      WHERE r.room = ${room} AND r.target ${oneOfText(ids)} AND r.rel_type = 'm.reference'
        AND (e.pos IS NULL OR e.pos <= ${upTo})
        AND e.redacted_by IS NULL AND e.rejected_by IS NULL AND NOT e.is_soft_failed
      ORDER BY e.event LIMIT ${MAX_RELATED}`,
  )

const THREAD = row({ target: text(), sender: integer(), count: integer(), latest: integer() })
/** Of the threads that begin with these events: how many events each sender has in them, and which is the last one. */
export const threadsOf = (db: Reader, room: number, { ids, upTo }: Targets): Promise<(typeof THREAD)['out'][]> =>
  db.all(
    THREAD,
    sql`SELECT r.target, r.sender, count(*) AS count, max(r.event) AS latest FROM relations AS r
      JOIN events AS e ON e.event = r.event
      WHERE r.room = ${room} AND r.target ${oneOfText(ids)} AND r.rel_type = 'm.thread'
        AND (e.pos IS NULL OR e.pos <= ${upTo})
        AND e.redacted_by IS NULL AND e.rejected_by IS NULL AND NOT e.is_soft_failed
      GROUP BY r.target, r.sender`,
  )

const EXISTING = row({ event: integer() })
/** Whether the sender has annotated the event with that key already, by an event that is not redacted. */
export const hasAnnotated = async (
  db: Reader,
  annotation: {
    readonly room: number
    readonly target: string
    readonly sender: number
    readonly type: string
    readonly key: string
  },
): Promise<boolean> => {
  const found = await db.get(
    EXISTING,
    sql`SELECT r.event FROM relations AS r JOIN events AS e ON e.event = r.event
      WHERE r.room = ${annotation.room} AND r.target ${oneOfText([annotation.target])} AND r.rel_type = 'm.annotation'
        AND r.sender = ${annotation.sender} AND r.type ${oneOfText([annotation.type])}
        AND r.aggregation_key ${oneOfText([annotation.key])} AND e.redacted_by IS NULL LIMIT 1`,
  )
  return found !== undefined
}

const INCOMING = row({ target: text(), relType: text(), userId: text() })
/** How others relate to these events, and who. */
export const incomingRelations = (
  db: Reader,
  room: number,
  targets: Iterable<string>,
): Promise<(typeof INCOMING)['out'][]> =>
  db.all(
    INCOMING,
    sql`SELECT r.target, r.rel_type, u.user_id FROM relations AS r JOIN users AS u ON u."user" = r.sender
      JOIN events AS e ON e.event = r.event
      WHERE r.room = ${room} AND r.target ${oneOfText(targets)} AND e.redacted_by IS NULL LIMIT ${MAX_RELATED}`,
  )
