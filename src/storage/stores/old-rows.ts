import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { boolean, integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'

// What is of use only for a while goes a few hundred rows at a time: first it is read up to when that many were written, then they go.

const UP_TO = row({ upTo: integer() })
const TS = row({ writtenTs: integer() })

/** Transaction IDs up to that time are forgotten: requests with them count as new. */
export const oldTransactionsRemoved = operation('old_transactions_removed', {
  row: UP_TO,
  statement: { remove: 'transactions', where: 't.written_ts <= :up_to' },
  scope: () => 'old transactions',
  fold: 'last wins',
})

/** Batches up to that time are forgotten: a lost answer to their commit can be looked up no more. */
export const oldCommitsRemoved = operation('old_commits_removed', {
  row: UP_TO,
  statement: { remove: 'commits', where: 't.written_ts <= :up_to' },
  scope: () => 'old commits',
  fold: 'last wins',
})

/** Kinds of log entries of which some are of use only for a while. */
export const PASSING_KINDS: ReadonlySet<number> = new Set([
  LOG_KIND.device,
  LOG_KIND.purged,
  LOG_KIND.membership,
  LOG_KIND.profile,
  LOG_KIND.keySignature,
])
/** The log forgets between two positions what it said of rows that are gone, and what a later entry says too. */
export const oldEntriesRemoved = operation('old_entries_removed', {
  row: row({ after: integer(), upTo: integer() }),
  statement: {
    remove: 'log',
    where: `t.pos > :after AND t.pos <= :up_to AND (t.kind IN (${LOG_KIND.device}, ${LOG_KIND.purged})
      OR t.kind = ${LOG_KIND.membership} AND NOT EXISTS (
        SELECT 1 FROM memberships AS m WHERE m.room = t.room AND m."user" = t."user" AND m.pos = t.pos)
      OR t.kind = ${LOG_KIND.profile} AND NOT EXISTS (
        SELECT 1 FROM profile_fields AS p WHERE p."user" = t."user" AND p.pos = t.pos)
      OR t.kind = ${LOG_KIND.keySignature} AND EXISTS (
        SELECT 1 FROM log AS l WHERE l."user" = t."user" AND l.kind = t.kind AND l.item = t.item AND l.pos > t.pos))`,
  },
  scope: () => 'old entries',
  fold: 'next batch',
})

const ENTRY = row({ pos: integer(), kind: integer() })
/** What the log has between two positions, oldest first, at most `limit`. */
export const entriesBetween = (
  db: Reader,
  { after, upTo, limit }: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<(typeof ENTRY)['out'][]> =>
  db.all(ENTRY, sql`SELECT ${ENTRY} FROM log WHERE pos > ${after} AND pos <= ${upTo} ORDER BY pos LIMIT ${limit}`)

/** When the transaction was written that has `offset` older ones, if that was before `before`. */
export const oldTransactionTs = async (db: Reader, before: number, offset: number): Promise<number | undefined> =>
  (
    await db.get(
      TS,
      sql`SELECT ${TS} FROM transactions WHERE written_ts < ${before} ORDER BY written_ts LIMIT 1 OFFSET ${offset}`,
    )
  )?.writtenTs

/** When the batch was written that has `offset` older ones, if that was before `before`. */
export const oldCommitTs = async (db: Reader, before: number, offset: number): Promise<number | undefined> =>
  (
    await db.get(
      TS,
      sql`SELECT ${TS} FROM commits WHERE written_ts < ${before} ORDER BY written_ts LIMIT 1 OFFSET ${offset}`,
    )
  )?.writtenTs

const SESSION = row({ session: integer() })
/** Sessions that were over before that time, at most `limit`. */
export const sessionsOverBefore = async (db: Reader, before: number, limit: number): Promise<number[]> => {
  const rows = await db.all(
    SESSION,
    sql`SELECT ${SESSION} FROM sessions WHERE expires_ts < ${before} ORDER BY expires_ts LIMIT ${limit}`,
  )
  return rows.map(({ session }) => session)
}

const OLD_STATE = row({ pos: integer(), isLoose: boolean() })
/**
 * From when on the room had its current states of long ago: the first `limit` up to that position. A loose one is not what an event made
 * there, but where several came together.
 */
export const oldCurrentStates = async (
  db: Reader,
  room: number,
  { upTo, limit }: { readonly upTo: number; readonly limit: number },
): Promise<(typeof OLD_STATE)['out'][]> =>
  db.all(
    OLD_STATE,
    sql`SELECT c.pos, NOT EXISTS (
        SELECT 1 FROM log AS l JOIN events AS e ON e.event = l.item
        WHERE l.pos = c.pos AND l.kind = ${LOG_KIND.event} AND e.state_after = c.state) AS is_loose
      FROM current_states AS c WHERE c.room = ${room} AND c.pos <= ${upTo} ORDER BY c.pos LIMIT ${limit}`,
  )

const ROOM = row({ room: integer() })
/** Rooms by rising numbers, `limit` after `after`. */
export const roomsAfter = async (db: Reader, after: number, limit: number): Promise<number[]> =>
  (await db.all(ROOM, sql`SELECT ${ROOM} FROM rooms WHERE room > ${after} ORDER BY room LIMIT ${limit}`)).map(
    ({ room }) => room,
  )
