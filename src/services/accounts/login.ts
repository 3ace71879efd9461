import type { Hooks } from '#modules/registry.ts'
import { forbidden, missingParam, unknown } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { Limiter } from '#services/limiter.ts'
import type { LoginTokens } from '#services/sessions/login-tokens.ts'
import type { NewSession, SessionExtras, Sessions } from '#services/sessions/sessions.ts'
import type { Reader } from '#storage/database.ts'
import { type AccountRow, accountOf } from '#storage/stores/accounts.ts'
import { noAppservice } from './appservices.ts'
import type { PasswordCheck, SentFields } from './password-check.ts'
import { judgeStanding } from './standing.ts'
import type { Users } from './users.ts'

type Deps = {
  readonly db: Reader
  readonly users: Users
  readonly hooks: Hooks
  readonly sessions: Sessions
  readonly passwordCheck: PasswordCheck
  readonly loginTokens: LoginTokens
  readonly addressLimiter: Limiter
  readonly accountLimiter: Limiter
  /** There is a way to get login tokens. */
  readonly areTokensOffered: boolean
}

/** What a client sends to log in. */
export type LoginRequest = {
  readonly type: string
  /** The whole body: what belongs to the type. */
  readonly fields: SentFields
  readonly token: string | undefined
  readonly deviceId: string | undefined
  readonly displayName: string | undefined
  readonly refreshable: boolean
}

type Account = { readonly account: AccountRow; readonly userId: UserId }

/** Lets users in. https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
export class Logins {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The ways to log in. */
  get flows(): readonly { readonly type: string; readonly get_login_token?: true }[] {
    const { passwordCheck, areTokensOffered } = this.#deps
    const password = passwordCheck.mayLogIn ? [{ type: 'm.login.password' }] : []
    return [...password, ...(areTokensOffered ? [{ type: 'm.login.token', get_login_token: true as const }] : [])]
  }

  /** Begins a session for whoever shows that they are the user. */
  async login(
    request: LoginRequest,
    caller: { readonly ip: string; readonly hasToken: boolean },
  ): Promise<{ readonly userId: UserId; readonly session: NewSession }> {
    await this.#deps.addressLimiter.take(caller.ip)
    switch (request.type) {
      case 'm.login.password':
        return this.#byPassword(request)
      case 'm.login.token':
        return this.#byToken(request)
      case 'm.login.application_service':
        throw noAppservice(caller)
      default:
        throw unknown('Unknown login type', { status: 400 })
    }
  }

  async #byPassword(request: LoginRequest) {
    const { passwordCheck } = this.#deps
    if (!passwordCheck.mayLogIn) throw unknown('One does not log in with a password here', { status: 400 })
    return this.#complete(await passwordCheck.verifyFields(request.fields), request)
  }

  async #byToken(request: LoginRequest) {
    const { db, users, loginTokens } = this.#deps
    if (request.token === undefined) throw missingParam("'token' is missing: expected string")
    const { user, take } = await loginTokens.read(request.token)
    const account = await accountOf(db, user)
    const row = (await users.byNumbers([user])).get(user)
    if (account === undefined || row === undefined) throw forbidden('There is no such account')
    return this.#complete({ account, userId: row.userId as UserId }, request, take)
  }

  async #complete({ account, userId }: Account, request: LoginRequest, extras?: SessionExtras) {
    const { accountLimiter, hooks, sessions } = this.#deps
    const { deviceId, displayName, refreshable } = request
    judgeStanding(account)
    await accountLimiter.take(userId.toLowerCase())
    const verdict = await hooks.ask('checkLoginForSpam', userId, { deviceId, displayName })
    if (!verdict.ok) throw forbidden(verdict.reason)
    const wish = { user: account.user, deviceId, displayName, kind: 'legacy', refreshable } as const
    return { userId, session: await sessions.open(wish, extras) }
  }
}
