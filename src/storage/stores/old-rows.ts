import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { integer, row } from '#storage/row.ts'
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

const POS = row({ pos: integer() })
/** From when on the room had its current states of long ago: the first `limit` up to that position. */
export const oldCurrentStates = async (
  db: Reader,
  room: number,
  { upTo, limit }: { readonly upTo: number; readonly limit: number },
): Promise<number[]> => {
  const rows = await db.all(
    POS,
    sql`SELECT ${POS} FROM current_states WHERE room = ${room} AND pos <= ${upTo} ORDER BY pos LIMIT ${limit}`,
  )
  return rows.map(({ pos }) => pos)
}

const ROOM = row({ room: integer() })
/** Rooms by rising numbers, `limit` after `after`. */
export const roomsAfter = async (db: Reader, after: number, limit: number): Promise<number[]> =>
  (await db.all(ROOM, sql`SELECT ${ROOM} FROM rooms WHERE room > ${after} ORDER BY room LIMIT ${limit}`)).map(
    ({ room }) => room,
  )
