import { hash } from 'node:crypto'
import type { Requester } from '#api/requester.ts'
import { forbidden, missingToken, unknownToken, userDeactivated, userLocked } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { deviceAdded, deviceRenamed, deviceSeen } from '#storage/stores/devices.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import {
  accessTokenAdded,
  accessTokensRemoved,
  holderOfToken,
  refreshTokenAdded,
  refreshTokensRemoved,
  type SessionKind,
  type SessionRow,
  sessionAdded,
  sessionRemoved,
  type TokenHolder,
} from '#storage/stores/sessions.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import type { Clock } from '#util/clock.ts'
import { type Random, randomLetters } from '#util/random.ts'

/** How long sessions and tokens live, in milliseconds; `undefined` is without end. */
export type SessionLifetimes = {
  readonly sessionMs: number | undefined
  readonly accessTokenMs: number | undefined
  readonly refreshableAccessTokenMs: number | undefined
  readonly refreshTokenMs: number | undefined
}

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly numbers: Numbers
  readonly clock: Clock
  readonly random: Random
  readonly lifetimes: SessionLifetimes
  readonly cache: ByteCache<string, TokenHolder>
}

/** What a client gets that logged in. */
export type NewSession = {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly expiresInMs: number | undefined
  readonly deviceId: string
}

/** What a new session is to be. */
export type SessionRequest = {
  readonly user: number
  /** The client's choice; a new one is made where it has none. */
  readonly deviceId: string | undefined
  readonly displayName: string | undefined
  readonly kind: SessionKind
  /** The client can exchange refresh tokens. */
  readonly refreshable: boolean
}

/** How often a device's last use is written down. */
const SEEN_EVERY_MS = 2 * 60_000

/** The hash by which a token is kept. */
export const tokenHash = (token: string): Uint8Array => hash('sha256', token, 'buffer')

/** Sessions and the tokens by which clients show that they belong to one. */
export class Sessions {
  readonly #deps: Deps
  readonly #seen = new Map<string, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A token nobody can guess: 192 bits, with a prefix by which leaked ones are found. */
  newToken(kind: 'access' | 'refresh' | 'login'): string {
    return `my${kind[0]}_${Buffer.from(this.#deps.random.bytes(24)).toString('base64url')}`
  }

  /** Begins a session as part of `change`. A device that was there keeps its name; its former sessions end. */
  async begin(change: Change, request: SessionRequest, former: readonly SessionRow[] = []): Promise<NewSession> {
    const { clock, numbers, random, lifetimes } = this.#deps
    const createdTs = clock.now()
    const deviceId = request.deviceId ?? randomLetters(random, 10).toUpperCase()
    const session = await numbers.next('session')
    for (const one of former) this.end(change, one)
    change.write(sessionAdded, {
      session,
      user: request.user,
      deviceId,
      kind: request.kind,
      createdTs,
      expiresTs: after(createdTs, lifetimes.sessionMs),
    })
    change.write(deviceAdded, {
      user: request.user,
      deviceId,
      displayName: request.displayName,
      createdTs,
      lastSeenTs: undefined,
      lastSeenIp: undefined,
      lastSeenUserAgent: undefined,
    })
    const tokens = this.addTokens(change, session, request.refreshable)
    change.log({ kind: LOG_KIND.device, user: request.user })
    return { ...tokens, deviceId }
  }

  /** Gives a session an access token, and a refresh token where the client can use one. */
  addTokens(
    change: Change,
    session: number,
    refreshable: boolean,
  ): Pick<NewSession, 'accessToken' | 'refreshToken' | 'expiresInMs'> {
    const { clock, lifetimes } = this.#deps
    const createdTs = clock.now()
    const expiresInMs = refreshable ? lifetimes.refreshableAccessTokenMs : lifetimes.accessTokenMs
    const accessToken = this.newToken('access')
    change.write(accessTokenAdded, {
      hash: tokenHash(accessToken),
      session,
      createdTs,
      expiresTs: after(createdTs, expiresInMs),
    })
    if (!refreshable) return { accessToken, refreshToken: undefined, expiresInMs }
    const refreshToken = this.newToken('refresh')
    change.write(refreshTokenAdded, {
      hash: tokenHash(refreshToken),
      session,
      createdTs,
      expiresTs: after(createdTs, lifetimes.refreshTokenMs),
      successor: undefined,
    })
    return { accessToken, refreshToken, expiresInMs }
  }

  /** Ends a session as part of `change`: its tokens are void when that is durable. */
  end(change: Change, { session }: Pick<SessionRow, 'session'>): void {
    change.write(accessTokensRemoved, { session }).write(refreshTokensRemoved, { session })
    change.write(sessionRemoved, { session })
    change.onCommitted(() => this.forget((holder) => holder.session === session))
  }

  /** Forgets what is remembered of tokens, so that it is read again: something about their accounts or sessions changed. */
  forget(concerns: (holder: TokenHolder) => boolean): void {
    const { cache } = this.#deps
    for (const [key, holder] of cache.entries()) if (concerns(holder)) cache.delete(key)
  }

  /** Who holds the token. Throws where there is none, it is unknown or run out, or its account may do nothing. */
  async authenticate(
    token: string | undefined,
    { isOptional, mayBeLocked = false }: { readonly isOptional: boolean; readonly mayBeLocked?: boolean },
  ): Promise<Requester | undefined> {
    if (token === undefined) {
      if (isOptional) return undefined
      throw missingToken('This needs an access token')
    }
    const holder = await this.#holder(token)
    const now = this.#deps.clock.now()
    if (holder === undefined) throw unknownToken()
    if (holder.sessionExpiresTs !== undefined && holder.sessionExpiresTs <= now) {
      throw unknownToken({ error: 'The session has come to its end' })
    }
    if (holder.expiresTs !== undefined && holder.expiresTs <= now) {
      throw unknownToken({ softLogout: true, error: 'The access token has run out' })
    }
    if (holder.isDeactivated) throw userDeactivated('The account is deactivated', { status: 401 })
    if (holder.isLocked && !mayBeLocked) throw userLocked()
    if (!holder.isApproved) throw forbidden('The account was not approved yet')
    return requesterOf(holder)
  }

  /** Notes that a device was used, now and then. */
  seen(requester: Requester, caller: { readonly ip: string; readonly userAgent: string | undefined }): void {
    const { clock, commit } = this.#deps
    const { user, deviceId } = requester
    if (deviceId === undefined) return
    const key = `${user}\0${deviceId}`
    const now = clock.now()
    if (now - (this.#seen.get(key) ?? 0) < SEEN_EVERY_MS) return
    if (this.#seen.size > 100_000) this.#seen.clear()
    this.#seen.set(key, now)
    const seen = { user, deviceId, lastSeenTs: now, lastSeenIp: caller.ip, lastSeenUserAgent: caller.userAgent }
    // Nobody waits for it, and the next use writes it again if this one fails.
    commit(new Change().write(deviceSeen, seen)).catch(() => this.#seen.delete(key))
  }

  async #holder(token: string): Promise<TokenHolder | undefined> {
    const hashed = tokenHash(token)
    const key = Buffer.from(hashed).toString('latin1')
    const known = this.#deps.cache.get(key)
    if (known !== undefined) return known
    const holder = await holderOfToken(this.#deps.db, hashed)
    if (holder !== undefined) this.#deps.cache.set(key, holder)
    return holder
  }
}

const after = (ts: number, lifetimeMs: number | undefined): number | undefined =>
  lifetimeMs === undefined ? undefined : ts + lifetimeMs

const requesterOf = (holder: TokenHolder): Requester => ({
  user: holder.user,
  userId: holder.userId as UserId,
  deviceId: holder.deviceId,
  session: holder.session,
  scopes: 'all',
  isGuest: holder.accountKind === 'guest',
  isAdmin: holder.isAdmin,
  appserviceId: holder.appservice,
  isExemptFromRateLimits: false,
  isSuspended: holder.isSuspended,
  isShadowBanned: holder.isShadowBanned,
})

/** Renames a device as part of `change`. */
export const renameDevice = (change: Change, user: number, deviceId: string, displayName: string | undefined): void => {
  change.write(deviceRenamed, { user, deviceId, displayName })
}
