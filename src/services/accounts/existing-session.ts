import type { Requester } from '#api/requester.ts'
import { unrecognized } from '#protocol/errors.ts'
import type { Confirmations } from '#services/accounts/interactive-auth/confirmations.ts'
import type { Limiter } from '#services/limiter.ts'
import type { LoginToken, LoginTokens } from '#services/sessions/login-tokens.ts'
import type { SentFields } from './password-check.ts'

type Deps = {
  readonly confirmations: Confirmations
  readonly loginTokens: LoginTokens
  readonly limiter: Limiter
  readonly isEnabled: boolean
  /** Users show who they are for each token. */
  readonly isAuthRequired: boolean
}

/** Lets users log in on another device by way of one that is logged in. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token */
export class ExistingSessionLogins {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A token for the other device. Throws `M_UNRECOGNIZED` where this is off. */
  async issue(requester: Requester, auth: SentFields | undefined): Promise<LoginToken> {
    const { confirmations, loginTokens, limiter, isEnabled, isAuthRequired } = this.#deps
    if (!isEnabled) throw unrecognized('One does not log in by way of another device here')
    const confirmed = isAuthRequired
      ? await confirmations.ask(requester, { operation: 'get login token', auth, mayBeRecent: false })
      : undefined
    if (!requester.isExemptFromRateLimits) await limiter.take(String(requester.user))
    return loginTokens.issue(requester.user, confirmed?.finish)
  }
}
