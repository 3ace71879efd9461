import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, jsonText, position, row, text } from '#storage/row.ts'
import { oneOf, sql, textValue } from '#storage/sql.ts'

/** Stands for the room of account data that belongs to none. */
export const NO_ROOM = 0

/** What a user keeps under a type, about a room or about none. The content is JSON. */
export const ACCOUNT_DATA = row({
  user: integer(),
  room: integer(),
  type: text(),
  content: jsonText(),
  pos: position(),
})
export type AccountDataRow = (typeof ACCOUNT_DATA)['out']

/** Under what account data is kept. */
export type AccountDataKey = { readonly user: number; readonly room: number; readonly type: string }

const scope = ({ user, room, type }: AccountDataKey) => `account data:${user}:${room}:${type}`

/** A user keeps this under a type, in the place of what was there. */
export const accountDataSet = operation('account_data_set', {
  row: ACCOUNT_DATA,
  statement: { upsert: 'account_data', key: ['user', 'room', 'type'], prunesLog: true },
  scope,
  fold: 'last wins',
})

/** Nobody changed it since it was read; `pos` is 0 where nothing was there. */
export const accountDataUnchanged = condition('account_data_unchanged', {
  row: row({ user: integer(), room: integer(), type: text(), pos: integer() }),
  holds: `coalesce((SELECT pos FROM account_data WHERE "user" = :user AND room = :room AND type = :type), 0) = :pos`,
  scope,
})

/** What a user keeps under a type, or `undefined`. */
export const accountDataOf = (db: Reader, { user, room, type }: AccountDataKey): Promise<AccountDataRow | undefined> =>
  db.get(
    ACCOUNT_DATA,
    sql`SELECT ${ACCOUNT_DATA} FROM account_data
      WHERE "user" = ${user} AND room = ${room} AND type = ${textValue(type)}`,
  )

/** What a user keeps about a room, or about none, of what was set in the range. */
export const accountDataBetween = (
  db: Reader,
  { user, room, since, upTo }: Omit<AccountDataKey, 'type'> & { readonly since: number; readonly upTo: number },
): Promise<AccountDataRow[]> =>
  db.all(
    ACCOUNT_DATA,
    sql`SELECT ${ACCOUNT_DATA} FROM account_data
      WHERE "user" = ${user} AND room = ${room} AND pos > ${since} AND pos <= ${upTo}`,
  )

/** What a user keeps about these rooms, of what was set until a position. */
export const accountDataOfRooms = (
  db: Reader,
  rooms: Iterable<number>,
  { user, upTo }: { readonly user: number; readonly upTo: number },
): Promise<AccountDataRow[]> =>
  db.all(
    ACCOUNT_DATA,
    sql`SELECT ${ACCOUNT_DATA} FROM account_data WHERE "user" = ${user} AND room ${oneOf(rooms)} AND pos <= ${upTo}`,
  )

const USAGE = row({ count: integer(), bytes: integer() })
/** How much a user keeps about a room, or about none, leaving out one type. */
export const accountDataUsage = async (
  db: Reader,
  { user, room, type }: AccountDataKey,
): Promise<(typeof USAGE)['out']> =>
  (await db.get(
    USAGE,
    sql`SELECT count(*) AS count, coalesce(sum(octet_length(content)), 0) AS bytes FROM account_data
      WHERE "user" = ${user} AND room = ${room} AND type <> ${textValue(type)}`,
  )) ?? { count: 0, bytes: 0 }
