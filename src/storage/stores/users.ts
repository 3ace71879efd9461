import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, integer, row, text } from '#storage/row.ts'
import { oneOf, oneOfText, sql, textValue } from '#storage/sql.ts'

/** A user of any server: short inside, by name at the edge. */
export const USER = row({ user: integer(), userId: text(), isLocal: boolean() })
export type UserRow = (typeof USER)['out']

/** A user becomes known. */
export const userAdded = operation('user_added', {
  row: USER,
  statement: { insert: 'users' },
  scope: ({ userId }) => `user:${userId}`,
  fold: 'next batch',
})

/** Nobody has this user ID yet. */
export const userIdFree = condition('user_id_free', {
  row: row({ userId: text() }),
  holds: 'NOT EXISTS (SELECT 1 FROM users WHERE user_id = :user_id)',
  scope: ({ userId }) => `user:${userId}`,
})

/** The user of that ID, or `undefined`. */
export const userById = (db: Reader, userId: string): Promise<UserRow | undefined> =>
  db.get(USER, sql`SELECT ${USER} FROM users WHERE user_id = ${textValue(userId)}`)

/** Local users whose ID is this one but for the case of its letters. `lowered` is in lower case. At most 10. */
export const localUsersFolded = (db: Reader, lowered: string): Promise<UserRow[]> =>
  db.all(
    USER,
    sql`SELECT ${USER} FROM users WHERE is_local AND lower(user_id) = ${textValue(lowered)} ORDER BY "user" LIMIT 10`,
  )

/** Those of the users that are known. */
export const usersById = (db: Reader, userIds: Iterable<string>): Promise<UserRow[]> =>
  db.all(USER, sql`SELECT ${USER} FROM users WHERE user_id ${oneOfText(userIds)}`)

/** The users of these numbers. */
export const usersByNumber = (db: Reader, users: Iterable<number>): Promise<UserRow[]> =>
  db.all(USER, sql`SELECT ${USER} FROM users WHERE "user" ${oneOf(users)}`)
