import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, bytes, integer, optional, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** How a session came about, which decides what its tokens may do. */
export type SessionKind = 'legacy' | 'oauth' | 'appservice'

/** A session of a user, on one device. It outlives its tokens. `authenticatedTs`: when the user last showed who they are. */
export const SESSION = row({
  session: integer(),
  user: integer(),
  deviceId: optional(text()),
  kind: text<SessionKind>(),
  createdTs: integer(),
  expiresTs: optional(integer()),
  authenticatedTs: optional(integer()),
})
export type SessionRow = (typeof SESSION)['out']

const ACCESS_TOKEN = row({
  hash: bytes(),
  session: integer(),
  createdTs: integer(),
  expiresTs: optional(integer()),
  refresh: optional(bytes()),
  isFresh: boolean(),
})
const REFRESH_TOKEN = row({
  hash: bytes(),
  session: integer(),
  createdTs: integer(),
  expiresTs: optional(integer()),
  parent: optional(bytes()),
  family: optional(bytes()),
})
export type RefreshTokenRow = (typeof REFRESH_TOKEN)['out']
const HASH = row({ hash: bytes() })
const BY_SESSION = row({ session: integer() })
const IN_SESSION = row({ session: integer(), hash: bytes() })

const sessionScope = ({ session }: { readonly session: number }) => `session:${session}`

/** A session begins. */
export const sessionAdded = operation('session_added', { row: SESSION, statement: { insert: 'sessions' } })
/** A session ends; its tokens go with `accessTokensRemoved` and `refreshTokensRemoved`. */
export const sessionRemoved = operation('session_removed', {
  row: BY_SESSION,
  statement: { remove: 'sessions', where: 't.session = :session' },
})

/** A session has one more access token. */
export const accessTokenAdded = operation('access_token_added', {
  row: ACCESS_TOKEN,
  statement: { insert: 'access_tokens' },
  scope: sessionScope,
  fold: 'next batch',
})
/** All access tokens of a session are void. */
export const accessTokensRemoved = operation('access_tokens_removed', {
  row: BY_SESSION,
  statement: { remove: 'access_tokens', where: 't.session = :session' },
  scope: sessionScope,
  fold: 'next batch',
})
/** A refresh token or the access token given with it is used: the session's other access tokens are void, but for those it was exchanged for. */
export const supersededAccessTokensRemoved = operation('superseded_access_tokens_removed', {
  row: IN_SESSION,
  statement: {
    remove: 'access_tokens',
    where: `t.session = :session AND (t.refresh IS NULL OR (t.refresh <> :hash
      AND NOT EXISTS (SELECT 1 FROM refresh_tokens AS c WHERE c.hash = t.refresh AND c.parent = :hash)))`,
  },
  scope: sessionScope,
  fold: 'next batch',
})
/** An access token that came by a refresh was used. */
export const accessTokenUsed = operation('access_token_used', {
  row: IN_SESSION,
  statement: { update: 'access_tokens', set: 'is_fresh = false', where: 't.hash = :hash' },
  scope: sessionScope,
  fold: 'next batch',
})

/** A session has one more refresh token. */
export const refreshTokenAdded = operation('refresh_token_added', {
  row: REFRESH_TOKEN,
  statement: { insert: 'refresh_tokens' },
  scope: sessionScope,
  fold: 'next batch',
})
/** All refresh tokens of a session are void. */
export const refreshTokensRemoved = operation('refresh_tokens_removed', {
  row: BY_SESSION,
  statement: { remove: 'refresh_tokens', where: 't.session = :session' },
  scope: sessionScope,
  fold: 'next batch',
})
/** A refresh token or the access token given with it is used: the session's other refresh tokens are void, but for those it was exchanged for. */
export const supersededRefreshTokensRemoved = operation('superseded_refresh_tokens_removed', {
  row: IN_SESSION,
  statement: {
    remove: 'refresh_tokens',
    where: 't.session = :session AND t.hash <> :hash AND (t.parent IS NULL OR t.parent <> :hash)',
  },
  scope: sessionScope,
  fold: 'next batch',
})
/** A session is over, but what it has is not thrown away: its tokens say so. */
export const sessionExpired = operation('session_expired', {
  row: row({ session: integer(), expiresTs: integer() }),
  statement: { update: 'sessions', set: 'expires_ts = :expires_ts', where: 't.session = :session' },
  scope: sessionScope,
  fold: 'next batch',
})
/** The user showed who they are. */
export const sessionAuthenticated = operation('session_authenticated', {
  row: row({ session: integer(), authenticatedTs: integer() }),
  statement: { update: 'sessions', set: 'authenticated_ts = :authenticated_ts', where: 't.session = :session' },
  scope: sessionScope,
  fold: 'last wins',
})

/** The refresh token is there. */
export const refreshTokenGood = condition('refresh_token_good', {
  row: IN_SESSION,
  holds: 'EXISTS (SELECT 1 FROM refresh_tokens WHERE hash = :hash)',
  scope: sessionScope,
})
/** The access token is there. */
export const accessTokenGood = condition('access_token_good', {
  row: IN_SESSION,
  holds: 'EXISTS (SELECT 1 FROM access_tokens WHERE hash = :hash)',
  scope: sessionScope,
})
/** The device has no session but this one; 0 for none. */
export const deviceSessionIs = condition('device_session_is', {
  row: row({ user: integer(), deviceId: text(), session: integer() }),
  holds: 'NOT EXISTS (SELECT 1 FROM sessions WHERE "user" = :user AND device_id = :device_id AND session <> :session)',
  scope: ({ user, deviceId }) => `device:${user}:${deviceId}`,
})

const loginTokenScope = ({ hash }: { readonly hash: Uint8Array }) =>
  `login token:${Buffer.from(hash).toString('base64url')}`
const LOGIN_TOKEN = row({ hash: bytes(), user: integer(), expiresTs: integer() })
export type LoginTokenRow = (typeof LOGIN_TOKEN)['out']

/** A short-lived token for `m.login.token` is given out. */
export const loginTokenAdded = operation('login_token_added', {
  row: LOGIN_TOKEN,
  statement: { insert: 'login_tokens' },
})
/** A login token is used. */
export const loginTokenTaken = operation('login_token_taken', {
  row: HASH,
  statement: { remove: 'login_tokens', where: 't.hash = :hash' },
  scope: loginTokenScope,
  fold: 'next batch',
})
/** What ran out is of no use. */
export const expiredLoginTokensRemoved = operation('expired_login_tokens_removed', {
  row: row({ now: integer() }),
  statement: { remove: 'login_tokens', where: 't.expires_ts <= :now' },
  scope: () => 'expired login tokens',
  fold: 'last wins',
})
/** A user's login tokens are void. */
export const loginTokensOfUserRemoved = operation('login_tokens_of_user_removed', {
  row: row({ user: integer() }),
  statement: { remove: 'login_tokens', where: 't."user" = :user' },
  scope: ({ user }) => `login tokens:${user}`,
  fold: 'last wins',
})
/** The login token is there and has not run out. */
export const loginTokenGood = condition('login_token_good', {
  row: row({ hash: bytes(), now: integer() }),
  holds: 'EXISTS (SELECT 1 FROM login_tokens WHERE hash = :hash AND expires_ts > :now)',
  scope: loginTokenScope,
})

/** What a token stands for: its session and, of the account, what decides about requests. */
export const TOKEN_HOLDER = row({
  session: integer(),
  user: integer(),
  userId: text(),
  deviceId: optional(text()),
  kind: text<SessionKind>(),
  expiresTs: optional(integer()),
  refresh: optional(bytes()),
  isFresh: boolean(),
  sessionExpiresTs: optional(integer()),
  accountKind: text(),
  appservice: optional(text()),
  isAdmin: boolean(),
  isLocked: boolean(),
  isSuspended: boolean(),
  isShadowBanned: boolean(),
  isApproved: boolean(),
  isDeactivated: boolean(),
})
export type TokenHolder = (typeof TOKEN_HOLDER)['out']

/** Who holds the access token of this hash, or `undefined`. */
export const holderOfToken = (db: Reader, hash: Uint8Array): Promise<TokenHolder | undefined> =>
  db.get(
    TOKEN_HOLDER,
    sql`SELECT s.session, s."user", u.user_id, s.device_id, s.kind, t.expires_ts, t.refresh, t.is_fresh, s.expires_ts, a.kind, a.appservice,
        a.is_admin, a.is_locked, a.is_suspended, a.is_shadow_banned, a.is_approved, a.is_deactivated
      FROM access_tokens AS t JOIN sessions AS s ON s.session = t.session
      JOIN users AS u ON u."user" = s."user" JOIN accounts AS a ON a."user" = s."user" WHERE t.hash = ${hash}`,
  )

/** The refresh token of this hash, or `undefined`. */
export const refreshTokenByHash = (db: Reader, hash: Uint8Array): Promise<RefreshTokenRow | undefined> =>
  db.get(REFRESH_TOKEN, sql`SELECT ${REFRESH_TOKEN} FROM refresh_tokens WHERE hash = ${hash}`)

const FAMILY = row({ session: integer() })
/** The session whose refresh tokens have this in common, or `undefined`. */
export const sessionOfFamily = async (db: Reader, family: Uint8Array): Promise<number | undefined> =>
  (await db.get(FAMILY, sql`SELECT ${FAMILY} FROM refresh_tokens WHERE family = ${family} LIMIT 1`))?.session

/** The login token of this hash, or `undefined`. */
export const loginTokenByHash = (db: Reader, hash: Uint8Array): Promise<LoginTokenRow | undefined> =>
  db.get(LOGIN_TOKEN, sql`SELECT ${LOGIN_TOKEN} FROM login_tokens WHERE hash = ${hash}`)

/** The session of that number, or `undefined`. */
export const sessionByNumber = (db: Reader, session: number): Promise<SessionRow | undefined> =>
  db.get(SESSION, sql`SELECT ${SESSION} FROM sessions WHERE session = ${session}`)

/** All sessions of a user. */
export const sessionsOf = (db: Reader, user: number): Promise<SessionRow[]> =>
  db.all(SESSION, sql`SELECT ${SESSION} FROM sessions WHERE "user" = ${user}`)

/** The sessions on a device. */
export const sessionsOnDevice = (db: Reader, user: number, deviceId: string): Promise<SessionRow[]> =>
  db.all(SESSION, sql`SELECT ${SESSION} FROM sessions WHERE "user" = ${user} AND device_id = ${textValue(deviceId)}`)
