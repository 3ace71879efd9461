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

/** The account may do more or less than before; what is `undefined` stays as it is. */
export const standingChanged = operation('standing_changed', {
  row: row({
    user: integer(),
    isAdmin: optional(boolean()),
    isLocked: optional(boolean()),
    isSuspended: optional(boolean()),
    isShadowBanned: optional(boolean()),
    isApproved: optional(boolean()),
  }),
  statement: {
    update: 'accounts',
    set: `is_admin = coalesce(:is_admin, t.is_admin), is_locked = coalesce(:is_locked, t.is_locked),
      is_suspended = coalesce(:is_suspended, t.is_suspended), is_shadow_banned = coalesce(:is_shadow_banned, t.is_shadow_banned),
      is_approved = coalesce(:is_approved, t.is_approved)`,
    where: 't."user" = :user',
  },
  scope,
  fold: 'next batch',
})

/** Nobody uses the account any more. Its password is gone; once erased stays erased. */
export const accountDeactivated = operation('account_deactivated', {
  row: row({ user: integer(), isErased: boolean() }),
  statement: {
    update: 'accounts',
    set: 'is_deactivated = true, password_hash = NULL, is_erased = (t.is_erased OR :is_erased)',
    where: 't."user" = :user',
  },
  scope,
  fold: 'next batch',
})

/** A guest becomes a user with a password. */
export const guestUpgraded = operation('guest_upgraded', {
  row: row({ user: integer(), passwordHash: text() }),
  statement: {
    update: 'accounts',
    set: "kind = 'user', password_hash = :password_hash",
    where: `t."user" = :user AND t.kind = 'guest'`,
  },
  scope,
  fold: 'next batch',
})

/** The account has this password; `undefined` lets nobody in by password. */
export const passwordChanged = operation('password_changed', {
  row: row({ user: integer(), passwordHash: optional(text()) }),
  statement: { update: 'accounts', set: 'password_hash = :password_hash', where: 't."user" = :user' },
  scope,
  fold: 'next batch',
})

/** The user has no account here yet. */
export const accountFree = condition('account_free', {
  row: row({ user: integer() }),
  holds: 'NOT EXISTS (SELECT 1 FROM accounts WHERE "user" = :user)',
  scope,
})

/** The account is there and not deactivated. */
export const accountActive = condition('account_active', {
  row: row({ user: integer() }),
  holds: 'EXISTS (SELECT 1 FROM accounts WHERE "user" = :user AND NOT is_deactivated)',
  scope,
})

/** The account is that of a guest and not deactivated. */
export const accountOfGuest = condition('account_of_guest', {
  row: row({ user: integer() }),
  holds: `EXISTS (SELECT 1 FROM accounts WHERE "user" = :user AND kind = 'guest' AND NOT is_deactivated)`,
  scope,
})

/** The account of a user of this server, or `undefined`. */
export const accountOf = (db: Reader, user: number): Promise<AccountRow | undefined> =>
  db.get(ACCOUNT, sql`SELECT ${ACCOUNT} FROM accounts WHERE "user" = ${user}`)

/** The accounts of these users. */
export const accountsOf = (db: Reader, users: Iterable<number>): Promise<AccountRow[]> =>
  db.all(ACCOUNT, sql`SELECT ${ACCOUNT} FROM accounts WHERE "user" ${oneOf(users)}`)

const USER_ONLY = row({ user: integer() })

/** Whether anybody has an account here. */
export const hasAccounts = async (db: Reader): Promise<boolean> =>
  (await db.get(USER_ONLY, sql`SELECT ${USER_ONLY} FROM accounts LIMIT 1`)) !== undefined
