import type { Requester } from '#api/requester.ts'
import { forbidden, type MatrixError, missingToken, unknown, unknownToken } from '#protocol/errors.ts'
import { type Admission, judgeCall, judgeStanding, requesterOf } from '#services/accounts/standing.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { accountActive } from '#storage/stores/accounts.ts'
import { deviceAdded, deviceIdNoKey, deviceSeen } from '#storage/stores/devices.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import {
  accessTokenAdded,
  accessTokenGood,
  accessTokensRemoved,
  accessTokenUsed,
  deviceSessionIs,
  holderOfToken,
  refreshTokenAdded,
  refreshTokensRemoved,
  type SessionKind,
  type SessionRow,
  sessionAdded,
  sessionRemoved,
  sessionsOnDevice,
  supersededAccessTokensRemoved,
  supersededRefreshTokensRemoved,
  type TokenHolder,
} from '#storage/stores/sessions.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import type { Clock } from '#util/clock.ts'
import { KeyedMutex } from '#util/keyed-mutex.ts'
import { type Random, randomLetters } from '#util/random.ts'
import { newFamily, newRefreshToken, newToken, tokenHash } from './token-text.ts'

/** How long sessions and tokens live, in milliseconds; `undefined` is without end. */
export type SessionLifetimes = {
  readonly sessionMs: number | undefined
  readonly accessTokenMs: number | undefined
  readonly refreshableAccessTokenMs: number | undefined
  readonly refreshTokenMs: number | undefined
}

/** Who holds a token, and as whom they make requests. */
export type KnownHolder = TokenHolder & { readonly requester: Requester }

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly numbers: Numbers
  readonly clock: Clock
  readonly random: Random
  readonly lifetimes: SessionLifetimes
  /** By token: those in use are in memory, for the time that they are in use. */
  readonly cache: ByteCache<string, KnownHolder>
}

/** The tokens of a session. */
export type Tokens = {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  readonly expiresInMs: number | undefined
}
/** What a client gets that logged in. */
export type NewSession = Tokens & { readonly deviceId: string }

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

/** What else happens in the commit that begins a session. */
export type SessionExtras = {
  readonly write: (change: Change) => void
  /** The error where one of the conditions that `write` added does not hold. */
  readonly refused: (condition: string) => MatrixError | undefined
}

/** Where new tokens belong. `refresh`: whether a refresh token is among them, and which one is exchanged for it. */
export type Grant = {
  readonly session: number
  readonly sessionExpiresTs: number | undefined
  readonly refresh: { readonly family: string | undefined; readonly parent: Uint8Array | undefined } | undefined
}

/** How often a device's last use is written down. */
const SEEN_EVERY_MS = 2 * 60_000
/** How often a login is tried again because another one on the same device came between. */
const ATTEMPTS = 5

/** Sessions and the tokens by which clients show that they belong to one. https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens */
export class Sessions {
  readonly #deps: Deps
  readonly #seen = new Map<string, number>()
  /** By user. */
  readonly #logins = new KeyedMutex<number>()
  /** Grows with each time something is forgotten: what was read before may be out of date. */
  #forgotten = 0

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Begins a session of an account that is there. The device, where it was there, keeps its name; its former session ends. */
  open(request: SessionRequest, extras: SessionExtras = NO_EXTRAS): Promise<NewSession> {
    // Those who log in on one device at once come one after the other, rather than in each other's way.
    return this.#logins.run(request.user, () => this.#open(request, extras))
  }

  async #open(request: SessionRequest, extras: SessionExtras): Promise<NewSession> {
    for (let attempt = 1; ; attempt++) {
      const change = new Change().require(accountActive, { user: request.user })
      const session = await this.begin(change, request)
      extras.write(change)
      const outcome = await this.#deps.commit(change)
      if (outcome.ok) return session
      if (outcome.refusedBy !== deviceSessionIs.name) throw extras.refused(outcome.refusedBy) ?? refusal(outcome)
      if (attempt === ATTEMPTS) throw refusal(outcome)
    }
  }

  /** Begins a session as part of `change`, which is refused where the device gets another session meanwhile. */
  async begin(change: Change, request: SessionRequest): Promise<NewSession> {
    const { db, clock, numbers, random, lifetimes } = this.#deps
    const { user, kind, displayName } = request
    const createdTs = clock.now()
    const deviceId = request.deviceId ?? randomLetters(random, 10).toUpperCase()
    if (request.deviceId !== undefined) {
      const [former] = await sessionsOnDevice(db, user, deviceId)
      change.require(deviceSessionIs, { user, deviceId, session: former?.session ?? 0 })
      change.require(deviceIdNoKey, { user, deviceId })
      if (former !== undefined) this.end(change, former)
    }
    const session = await numbers.next('session')
    const expiresTs = after(createdTs, lifetimes.sessionMs)
    change.write(sessionAdded, { session, user, deviceId, kind, createdTs, expiresTs, authenticatedTs: createdTs })
    const unused = { lastSeenTs: undefined, lastSeenIp: undefined, lastSeenUserAgent: undefined }
    change.write(deviceAdded, { user, deviceId, displayName, createdTs, ...unused })
    const refresh = request.refreshable ? { family: undefined, parent: undefined } : undefined
    const tokens = this.addTokens(change, { session, sessionExpiresTs: expiresTs, refresh })
    change.log({ kind: LOG_KIND.device, user })
    return { ...tokens, deviceId }
  }

  /** Gives a session an access token, and a refresh token where the client can use one. */
  addTokens(change: Change, { session, sessionExpiresTs, refresh }: Grant): Tokens {
    const { clock, random, lifetimes } = this.#deps
    const createdTs = clock.now()
    const lifetimeMs = refresh === undefined ? lifetimes.accessTokenMs : lifetimes.refreshableAccessTokenMs
    const expiresTs = earlier(after(createdTs, lifetimeMs), sessionExpiresTs)
    const accessToken = newToken(random, 'access')
    const family = refresh === undefined ? undefined : (refresh.family ?? newFamily(random))
    const refreshToken = family === undefined ? undefined : newRefreshToken(random, family)
    const refreshHash = refreshToken === undefined ? undefined : tokenHash(refreshToken)
    change.write(accessTokenAdded, {
      hash: tokenHash(accessToken),
      session,
      createdTs,
      expiresTs,
      refresh: refreshHash,
      isFresh: refresh?.parent !== undefined,
    })
    if (refreshHash !== undefined && family !== undefined) {
      change.write(refreshTokenAdded, {
        hash: refreshHash,
        session,
        createdTs,
        expiresTs: after(createdTs, lifetimes.refreshTokenMs),
        parent: refresh?.parent,
        family: tokenHash(family),
      })
    }
    return { accessToken, refreshToken, expiresInMs: expiresTs === undefined ? undefined : expiresTs - createdTs }
  }

  /** Ends a session as part of `change`: its tokens are void when that is durable. */
  end(change: Change, { session }: Pick<SessionRow, 'session'>): void {
    change.write(accessTokensRemoved, { session }).write(refreshTokensRemoved, { session })
    change.write(sessionRemoved, { session })
    this.forgetWith(change, session)
  }

  /** Forgets what is remembered of a session's tokens once the change is durable. */
  forgetWith(change: Change, session: number): void {
    change.onCommitted(() => this.forget((holder) => holder.session === session))
  }

  /** Forgets what is remembered of tokens, so that it is read again: something about their accounts or sessions changed. */
  forget(concerns: (holder: TokenHolder) => boolean): void {
    const { cache } = this.#deps
    this.#forgotten++
    for (const [key, holder] of cache.entries()) if (concerns(holder)) cache.delete(key)
  }

  /** Who holds the token and may call the endpoint, at once where memory knows. Throws where there is no token, it is unknown or run out, or its user may not. */
  authenticate(token: string | undefined, endpoint: Admission): Requester | undefined | Promise<Requester | undefined> {
    if (token === undefined) {
      if (endpoint.auth === 'accessTokenOptional' || endpoint.auth === 'none') return undefined
      throw missingToken('This needs an access token')
    }
    const holder = this.#deps.cache.get(token)
    return holder === undefined ? this.#read(token, endpoint) : this.#admit(holder, token, endpoint)
  }

  async #read(token: string, endpoint: Admission): Promise<Requester> {
    const holder = await this.#holder(token)
    if (holder === undefined) throw unknownToken()
    return this.#admit(holder, token, endpoint)
  }

  #admit(holder: KnownHolder, token: string, endpoint: Admission): Requester | Promise<Requester> {
    const now = this.#deps.clock.now()
    if (isOver(holder.sessionExpiresTs, now)) {
      throw unknownToken({ softLogout: true, error: 'The session has come to its end' })
    }
    if (isOver(holder.expiresTs, now)) throw unknownToken({ softLogout: true, error: 'The access token has run out' })
    judgeStanding(holder, { mayBeLocked: endpoint.locked })
    const { requester } = holder
    if (holder.isFresh) return this.#firstUse(tokenHash(token), holder).then(() => admitted(requester, endpoint))
    return admitted(requester, endpoint)
  }

  /** Notes that a device was used, now and then. */
  seen(requester: Requester, caller: { readonly ip: string; readonly userAgent: string | undefined }): void {
    const { clock, commit } = this.#deps
    const { user, deviceId, device } = requester
    if (deviceId === undefined || device === undefined) return
    const now = clock.now()
    if (now - (this.#seen.get(device) ?? 0) < SEEN_EVERY_MS) return
    if (this.#seen.size > 100_000) this.#seen.clear()
    this.#seen.set(device, now)
    const seen = { user, deviceId, lastSeenTs: now, lastSeenIp: caller.ip, lastSeenUserAgent: caller.userAgent }
    // Nobody waits for it, and the next use writes it again if this one fails.
    commit(new Change().write(deviceSeen, seen)).catch(() => this.#seen.delete(device))
  }

  /**
   * A token that came by a refresh arrived: what was there before it, and what another exchange of the same refresh token brought, is void.
   * https://spec.matrix.org/v1.19/client-server-api/#refreshing-access-tokens
   */
  async #firstUse(hash: Uint8Array, { session, refresh }: TokenHolder): Promise<void> {
    const change = new Change().require(accessTokenGood, { session, hash }).write(accessTokenUsed, { session, hash })
    if (refresh !== undefined) {
      change.write(supersededAccessTokensRemoved, { session, hash: refresh })
      change.write(supersededRefreshTokensRemoved, { session, hash: refresh })
    }
    this.forgetWith(change, session)
    if (!(await this.#deps.commit(change)).ok) throw unknownToken()
  }

  async #holder(token: string): Promise<KnownHolder | undefined> {
    const { db, cache } = this.#deps
    const forgotten = this.#forgotten
    const found = await holderOfToken(db, tokenHash(token))
    const holder = found && { ...found, requester: requesterOf(found) }
    // What changed while it was read may be missing in it.
    if (holder !== undefined && forgotten === this.#forgotten) cache.set(token, holder)
    return holder
  }
}

function admitted(requester: Requester, endpoint: Admission): Requester {
  judgeCall(requester, endpoint)
  return requester
}

const NO_EXTRAS: SessionExtras = { write: () => {}, refused: () => undefined }

function refusal({ refusedBy }: { readonly refusedBy: string }): MatrixError {
  if (refusedBy === accountActive.name) return forbidden('There is no such account')
  if (refusedBy === deviceIdNoKey.name) return forbidden('The device ID is that of a cross-signing key')
  return unknown('Others log in on the same device. Try again.', { status: 503 })
}

/** Whether that time has come. */
export const isOver = (expiresTs: number | undefined, now: number): boolean =>
  expiresTs !== undefined && expiresTs <= now

const after = (ts: number, lifetimeMs: number | undefined): number | undefined =>
  lifetimeMs === undefined ? undefined : ts + lifetimeMs

const earlier = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b)
