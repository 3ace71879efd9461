import type { Endpoint } from '#api/endpoint.ts'
import type { Requester } from '#api/requester.ts'
import { forbidden, guestAccessForbidden, notFound, unknownToken, userLocked, userSuspended } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { Audit } from '#services/audit.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import { accountActive, standingChanged } from '#storage/stores/accounts.ts'
import { deviceName } from './device-name.ts'

// What accounts may do: the one place where their standing is enforced.

/** What an account's row says of its standing. */
export type Standing = {
  readonly isAdmin: boolean
  readonly isLocked: boolean
  readonly isSuspended: boolean
  /** Is answered as if what they do had an effect. */
  readonly isShadowBanned: boolean
  readonly isApproved: boolean
  readonly isDeactivated: boolean
}

/** Throws where the account may not be used at all. https://spec.matrix.org/v1.19/client-server-api/#account-locking */
export const judgeStanding = (
  { isDeactivated, isLocked, isApproved }: Standing,
  { mayBeLocked = false }: { readonly mayBeLocked?: boolean } = {},
): void => {
  if (isDeactivated) throw unknownToken()
  if (isLocked && !mayBeLocked) throw userLocked()
  if (!isApproved) throw forbidden('The account was not approved yet')
}

/** What an endpoint says of who may call it. */
export type Admission = Pick<Endpoint, 'auth' | 'guest' | 'suspended' | 'locked'>

/** Throws where the endpoint is not for this user. https://spec.matrix.org/v1.19/client-server-api/#account-suspension */
export const judgeCall = (requester: Requester, endpoint: Admission): void => {
  if (requester.isGuest && !endpoint.guest) throw guestAccessForbidden('Guests may not do this')
  if (requester.isSuspended && !endpoint.suspended) throw userSuspended('Your account is suspended')
  if (endpoint.auth === 'admin' && !requester.isAdmin) throw forbidden('You are not a server administrator')
}

/** The account of a requester, with the session where there is one. */
export type Holder = Standing & {
  readonly user: number
  readonly userId: string
  readonly deviceId: string | undefined
  readonly session: number
  readonly accountKind: string
  readonly appservice: string | undefined
}

/** Who makes a request, by the account. */
export const requesterOf = ({ user, deviceId, ...holder }: Holder): Requester => ({
  user,
  userId: holder.userId as UserId,
  deviceId,
  device: deviceId === undefined ? undefined : deviceName({ user, deviceId }),
  session: holder.session,
  scopes: 'all',
  isGuest: holder.accountKind === 'guest',
  isAdmin: holder.isAdmin,
  appserviceId: holder.appservice,
  isExemptFromRateLimits: false,
  isSuspended: holder.isSuspended,
  isShadowBanned: holder.isShadowBanned,
})

/** What may be changed of a standing; what is left out stays. Deactivation has a service of its own. */
export type StandingChange = { readonly [K in Exclude<keyof Standing, 'isDeactivated'>]?: boolean }

type Deps = {
  readonly commit: Commit
  readonly audit: Audit
  /** Forgets what is remembered of the user's tokens. */
  readonly forget: (user: number) => void
}

/** Changes the standing of accounts. */
export class Standings {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Changes it for all requests from now on. `actor`: the administrator. */
  async set(
    { user, userId }: { readonly user: number; readonly userId: string },
    wish: StandingChange,
    actor: number | undefined,
  ): Promise<void> {
    const { commit, audit, forget } = this.#deps
    const change = new Change().require(accountActive, { user }).write(standingChanged, {
      user,
      isAdmin: wish.isAdmin,
      isLocked: wish.isLocked,
      isSuspended: wish.isSuspended,
      isShadowBanned: wish.isShadowBanned,
      isApproved: wish.isApproved,
    })
    await audit.write(change, { actor, action: 'change_standing', subject: userId, detail: wish })
    change.onCommitted(() => forget(user))
    if (!(await commit(change)).ok) throw notFound('There is no such account')
  }
}
