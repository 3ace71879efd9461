import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, integer, optional, row, text } from '#storage/row.ts'
import { oneOf, sql } from '#storage/sql.ts'

/** What a local account is for. */
export type AccountKind = 'user' | 'guest' | 'appservice' | 'support' | 'bot'

/** An account of this server. */
export const ACCOUNT = row({
  user: integer(),
  kind: text<AccountKind>(),
  appservice: optional(text()),
  passwordHash: optional(text()),
  createdTs: integer(),
  isAdmin: boolean(),
  isLocked: boolean(),
  isSuspended: boolean(),
  isShadowBanned: boolean(),
  isApproved: boolean(),
  isDeactivated: boolean(),
  isErased: boolean(),
})
export type AccountRow = (typeof ACCOUNT)['out']

const scope = ({ user }: { readonly user: number }) => `account:${user}`

/** An account comes to be. */
export const accountAdded = operation('account_added', {
  row: ACCOUNT,
  statement: { insert: 'accounts' },
  scope,
  fold: 'next batch',
})

/** An account is what the row says from now on. */
export const accountChanged = operation('account_changed', {
  row: ACCOUNT,
  statement: { upsert: 'accounts', key: ['user'] },
  scope,
  fold: 'last wins',
})

/** The account has this password; `undefined` lets nobody in by password. */
export const passwordChanged = operation('password_changed', {
  row: row({ user: integer(), passwordHash: optional(text()) }),
  statement: { update: 'accounts', set: 'password_hash = :password_hash', where: 't."user" = :user' },
  scope,
  fold: 'next batch',
})

/** The account is there and not deactivated. */
export const accountActive = condition('account_active', {
  row: row({ user: integer() }),
  holds: 'EXISTS (SELECT 1 FROM accounts WHERE "user" = :user AND NOT is_deactivated)',
})

/** The account of a user of this server, or `undefined`. */
export const accountOf = (db: Reader, user: number): Promise<AccountRow | undefined> =>
  db.get(ACCOUNT, sql`SELECT ${ACCOUNT} FROM accounts WHERE "user" = ${user}`)

/** The accounts of these users. */
export const accountsOf = (db: Reader, users: Iterable<number>): Promise<AccountRow[]> =>
  db.all(ACCOUNT, sql`SELECT ${ACCOUNT} FROM accounts WHERE "user" ${oneOf(users)}`)
