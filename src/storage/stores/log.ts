import { LOG_KIND, type LogKind } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { integer, optional, position, row } from '#storage/row.ts'
import { oneOf, sql } from '#storage/sql.ts'

/** A row of the log. */
export const LOGGED = row({
  pos: position(),
  kind: integer<LogKind>(),
  room: optional(integer()),
  user: optional(integer()),
  item: optional(integer()),
})
export type LoggedRow = (typeof LOGGED)['out']

type Range = { readonly since: number; readonly upTo: number }

/** What users hear of by the log itself. Messages to devices are read by each device for itself; whose devices changed, by those who share rooms. */
const OWN_KINDS: readonly number[] = Object.values(LOG_KIND).filter(
  (kind) => kind !== LOG_KIND.toDevice && kind !== LOG_KIND.deviceList,
)

/** What was logged for a user, oldest first, at most `limit`. Without messages to devices and device lists. */
export const userEntries = (
  db: Reader,
  user: number,
  { since, upTo, limit }: Range & { readonly limit: number },
): Promise<LoggedRow[]> =>
  db.all(
    LOGGED,
    sql`SELECT ${LOGGED} FROM log WHERE "user" = ${user} AND kind ${oneOf(OWN_KINDS)}
      AND pos > ${since} AND pos <= ${upTo} ORDER BY pos LIMIT ${limit}`,
  )

const ROOM_ONLY = row({ room: integer() })
/** Those of the rooms in which something everybody hears of happened after a position. */
export const changedRooms = async (db: Reader, rooms: Iterable<number>, since: number): Promise<Set<number>> => {
  const rows = await db.all(
    ROOM_ONLY,
    sql`SELECT r.room FROM rooms AS r WHERE r.room ${oneOf(rooms)} AND (
      EXISTS (SELECT 1 FROM log AS l WHERE l.room = r.room AND l.kind = ${LOG_KIND.event} AND l.pos > ${since})
      OR EXISTS (SELECT 1 FROM log AS l WHERE l.room = r.room AND l.kind = ${LOG_KIND.receipt} AND l.pos > ${since}))`,
  )
  return new Set(rows.map(({ room }) => room))
}
