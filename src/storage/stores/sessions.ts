import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, bytes, integer, optional, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** How a session came about, which decides what its tokens may do. */
export type SessionKind = 'legacy' | 'oauth' | 'appservice'

/** A session of a user, on one device. It outlives its tokens. */
export const SESSION = row({
  session: integer(),
  user: integer(),
  deviceId: optional(text()),
  kind: text<SessionKind>(),
  createdTs: integer(),
  expiresTs: optional(integer()),
})
export type SessionRow = (typeof SESSION)['out']

const ACCESS_TOKEN = row({ hash: bytes(), session: integer(), createdTs: integer(), expiresTs: optional(integer()) })
const REFRESH_TOKEN = row({
  hash: bytes(),
  session: integer(),
  createdTs: integer(),
  expiresTs: optional(integer()),
  successor: optional(bytes()),
})
export type RefreshTokenRow = (typeof REFRESH_TOKEN)['out']
const HASH = row({ hash: bytes() })
const BY_SESSION = row({ session: integer() })

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
/** The access tokens of a session are void but for this one. */
export const otherAccessTokensRemoved = operation('other_access_tokens_removed', {
  row: row({ session: integer(), hash: bytes() }),
  statement: { remove: 'access_tokens', where: 't.session = :session AND t.hash <> :hash' },
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
/** A refresh token was exchanged for another one. */
export const refreshTokenExchanged = operation('refresh_token_exchanged', {
  row: row({ session: integer(), hash: bytes(), successor: bytes() }),
  statement: { update: 'refresh_tokens', set: 'successor = :successor', where: 't.hash = :hash' },
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
/** The refresh tokens of a session are void but for this one: its access token was used, so nobody needs those before it. */
export const olderRefreshTokensRemoved = operation('older_refresh_tokens_removed', {
  row: row({ session: integer(), hash: bytes() }),
  statement: { remove: 'refresh_tokens', where: 't.session = :session AND t.hash <> :hash' },
  scope: sessionScope,
  fold: 'next batch',
})

/** The refresh token is there and its successor, if it has one, is not in use. */
export const refreshTokenGood = condition('refresh_token_good', {
  row: row({ hash: bytes(), session: integer() }),
  holds: 'EXISTS (SELECT 1 FROM refresh_tokens WHERE hash = :hash)',
  scope: sessionScope,
})

/** A short-lived token for `m.login.token` is given out. */
export const loginTokenAdded = operation('login_token_added', {
  row: row({ hash: bytes(), user: integer(), expiresTs: integer() }),
  statement: { insert: 'login_tokens' },
})
/** A login token is used, by whoever comes first. */
export const loginTokenTaken = operation('login_token_taken', {
  row: HASH,
  statement: { remove: 'login_tokens', where: 't.hash = :hash' },
  scope: ({ hash }) => `login token:${Buffer.from(hash).toString('hex')}`,
  fold: 'next batch',
  returning: row({ user: integer(), expiresTs: integer() }),
})

/** What a token stands for: its session and, of the account, what decides about requests. */
export const TOKEN_HOLDER = row({
  session: integer(),
  user: integer(),
  userId: text(),
  deviceId: optional(text()),
  kind: text<SessionKind>(),
  expiresTs: optional(integer()),
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
    sql`SELECT s.session, s."user", u.user_id, s.device_id, s.kind, t.expires_ts, s.expires_ts, a.kind, a.appservice,
        a.is_admin, a.is_locked, a.is_suspended, a.is_shadow_banned, a.is_approved, a.is_deactivated
      FROM access_tokens AS t JOIN sessions AS s ON s.session = t.session
      JOIN users AS u ON u."user" = s."user" JOIN accounts AS a ON a."user" = s."user" WHERE t.hash = ${hash}`,
  )

/** The refresh token of this hash, or `undefined`. */
export const refreshTokenByHash = (db: Reader, hash: Uint8Array): Promise<RefreshTokenRow | undefined> =>
  db.get(REFRESH_TOKEN, sql`SELECT ${REFRESH_TOKEN} FROM refresh_tokens WHERE hash = ${hash}`)

/** The session of that number, or `undefined`. */
export const sessionByNumber = (db: Reader, session: number): Promise<SessionRow | undefined> =>
  db.get(SESSION, sql`SELECT ${SESSION} FROM sessions WHERE session = ${session}`)

/** All sessions of a user. */
export const sessionsOf = (db: Reader, user: number): Promise<SessionRow[]> =>
  db.all(SESSION, sql`SELECT ${SESSION} FROM sessions WHERE "user" = ${user}`)

/** The sessions on a device. */
export const sessionsOnDevice = (db: Reader, user: number, deviceId: string): Promise<SessionRow[]> =>
  db.all(SESSION, sql`SELECT ${SESSION} FROM sessions WHERE "user" = ${user} AND device_id = ${textValue(deviceId)}`)
