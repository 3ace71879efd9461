import type { Hooks } from '#modules/registry.ts'
import { mannerOf } from '#modules/verdicts.ts'
import { forbidden, type MatrixError, missingParam, unknown } from '#protocol/errors.ts'
import { localpartOf, type UserId } from '#protocol/identifiers.ts'
import type { Flow } from '#services/accounts/interactive-auth/flows.ts'
import {
  type Authenticated,
  type InteractiveAuth,
  usedMeanwhile,
} from '#services/accounts/interactive-auth/interactive-auth.ts'
import type { Limiter } from '#services/limiter.ts'
import type { NewSession, Sessions } from '#services/sessions/sessions.ts'
import type { Change } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { standingChanged } from '#storage/stores/accounts.ts'
import { interactiveAuthUnchanged } from '#storage/stores/interactive-auths.ts'
import { isGood, registrationTokenOf, registrationTokenUsed } from '#storage/stores/registration-tokens.ts'
import type { Clock } from '#util/clock.ts'
import { getString } from '#util/json.ts'
import type { Accounts } from './accounts.ts'
import { noAppservice } from './appservices.ts'
import type { Guests } from './guests.ts'
import type { NewNames } from './names.ts'
import type { Passwords } from './passwords.ts'
import { paramsOf, type RegistrationRequest, requestOf } from './registration-request.ts'
import type { Users } from './users.ts'

type Deps = {
  readonly db: Reader
  readonly clock: Clock
  readonly users: Users
  readonly accounts: Accounts
  readonly passwords: Passwords
  readonly names: NewNames
  readonly hooks: Hooks
  readonly sessions: Sessions
  readonly guests: Guests
  readonly interactiveAuth: InteractiveAuth
  readonly limiter: Limiter
  readonly availabilityLimiter: Limiter
  readonly tokenLimiter: Limiter
  readonly settings: {
    readonly isEnabled: boolean
    readonly isTokenRequired: boolean
    readonly isUserInUseErrorHidden: boolean
  }
}

/** Where a request comes from. */
export type RegistrationCaller = {
  readonly ip: string
  readonly userAgent: string | undefined
  /** An access token came with the request. */
  readonly hasToken: boolean
}
/** An account that was made; `undefined` for a session where none was wanted. */
export type Registered = { readonly userId: UserId; readonly session: NewSession | undefined }

const OPERATION = 'register'

/** Makes accounts for those who come. https://spec.matrix.org/v1.19/client-server-api/#legacy-account-registration */
export class Registrations {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Makes an account after interactive authentication. Asked again when that is over, it logs in again: the first answer may have been lost. */
  async register(sent: RegistrationRequest, caller: RegistrationCaller): Promise<Registered> {
    const { limiter, settings, interactiveAuth, passwords } = this.#deps
    await limiter.check(caller.ip)
    if (sent.type === 'm.login.application_service') throw noAppservice(caller)
    if (!settings.isEnabled) throw forbidden('Registration is disabled')
    const earlier = await interactiveAuth.resume(getString(sent.auth, 'session'), OPERATION)
    const request = earlier === undefined ? sent : requestOf(sent, earlier.params)
    if (earlier?.user !== undefined) return this.#again(earlier.user, request, caller)
    if (request.password !== undefined) passwords.judge(request.password)
    const guest = await this.#deps.guests.of(request)
    const userId = request.username === undefined ? undefined : this.#deps.names.judge(request.username)
    if (userId !== undefined && guest === undefined && !settings.isUserInUseErrorHidden) {
      await this.#deps.accounts.mustBeFree(userId)
    }
    const params = paramsOf(request)
    const { flows } = this
    const done = await interactiveAuth.run({ operation: OPERATION, subject: undefined, params, flows, auth: sent.auth })
    if (guest !== undefined) {
      const isShadowBanned = await this.#isToBeShadowBanned(guest.userId, caller)
      return this.#deps.guests.upgrade(guest, request, (change) => {
        finish(change, done, guest.user)
        if (isShadowBanned) change.write(standingChanged, shadowBan(guest.user))
      })
    }
    return this.#make(userId ?? this.#deps.names.make(), request, { done, caller })
  }

  /** Makes an account for somebody who only wants to look in. Of what they send only the name of the device counts. */
  async registerGuest(deviceName: string | undefined, caller: RegistrationCaller): Promise<Registered> {
    const { limiter, names, guests } = this.#deps
    guests.mustBeAllowed()
    await limiter.take(caller.ip)
    const userId = names.make()
    const isShadowBanned = await this.#isToBeShadowBanned(userId, caller)
    return guests.make({ userId, isShadowBanned }, deviceName)
  }

  /** Throws where the name cannot be had. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3registeravailable */
  async mustBeAvailable(username: string, caller: RegistrationCaller): Promise<void> {
    const { availabilityLimiter, settings, names, accounts } = this.#deps
    await availabilityLimiter.take(caller.ip)
    if (!settings.isEnabled) throw forbidden('Registration is disabled')
    const userId = names.judge(username)
    if (!settings.isUserInUseErrorHidden) await accounts.mustBeFree(userId)
  }

  /** Whether one could register with the token now. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1registermloginregistration_tokenvalidity */
  async isTokenGood(token: string, caller: RegistrationCaller): Promise<boolean> {
    const { db, clock, tokenLimiter, settings } = this.#deps
    await tokenLimiter.take(caller.ip)
    if (!settings.isEnabled) throw forbidden('Registration is disabled')
    const row = await registrationTokenOf(db, token)
    return row !== undefined && isGood(row, clock.now())
  }

  /** The ways to an account. The dummy comes after the token, as clients know it. */
  get flows(): readonly Flow[] {
    return this.#deps.settings.isTokenRequired ? [['m.login.registration_token', 'm.login.dummy']] : [['m.login.dummy']]
  }

  async #make(
    userId: UserId,
    request: RegistrationRequest,
    { done, caller }: { readonly done: Authenticated; readonly caller: RegistrationCaller },
  ): Promise<Registered> {
    const { limiter, passwords, accounts, sessions } = this.#deps
    const { password, deviceId, deviceName, refreshable, isLoginInhibited } = request
    if (password === undefined) throw missingParam("'password' is missing: expected string")
    await accounts.mustBeFree(userId)
    const isShadowBanned = await this.#isToBeShadowBanned(userId, caller)
    await limiter.take(caller.ip)
    const passwordHash = await passwords.hash(password)
    const displayName = localpartOf(userId)
    const account = { userId, kind: 'user', passwordHash, isAdmin: false, isShadowBanned, displayName } as const
    let session: NewSession | undefined
    await accounts.create(account, {
      write: async (change, user) => {
        finish(change, done, user)
        if (isLoginInhibited) return
        session = await sessions.begin(change, { user, deviceId, displayName: deviceName, kind: 'legacy', refreshable })
      },
      refused,
    })
    return { userId, session }
  }

  /** Throws where modules will have no such account. */
  async #isToBeShadowBanned(userId: UserId, { ip, userAgent }: RegistrationCaller): Promise<boolean> {
    const verdict = await this.#deps.hooks.ask('checkRegistrationForSpam', userId, { ip, userAgent })
    if (verdict.ok) return false
    if (mannerOf(verdict) === 'shadow') return true
    throw forbidden(verdict.reason)
  }

  async #again(user: number, request: RegistrationRequest, caller: RegistrationCaller): Promise<Registered> {
    const { users, sessions, limiter } = this.#deps
    const row = (await users.byNumbers([user])).get(user)
    if (row === undefined) throw unknown('The account is gone', { status: 400 })
    const userId = row.userId as UserId
    if (request.isLoginInhibited) return { userId, session: undefined }
    await limiter.take(caller.ip)
    const { deviceId, deviceName, refreshable } = request
    return {
      userId,
      session: await sessions.open({ user, deviceId, displayName: deviceName, kind: 'legacy', refreshable }),
    }
  }
}

const shadowBan = (user: number) => ({
  user,
  isShadowBanned: true,
  isAdmin: undefined,
  isLocked: undefined,
  isSuspended: undefined,
  isApproved: undefined,
})

/** The authentication has led to the account, and so did the token. */
function finish(change: Change, done: Authenticated, user: number): void {
  done.finish(change, user)
  const token = getString(done.facts.get('m.login.registration_token'), 'token')
  if (token !== undefined) change.write(registrationTokenUsed, { token })
}

const refused = (condition: string): MatrixError =>
  condition === interactiveAuthUnchanged.name
    ? usedMeanwhile()
    : unknown('The account could not be made. Try again.', { status: 503 })
