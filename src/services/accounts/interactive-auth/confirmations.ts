import type { Requester } from '#api/requester.ts'
import { forbidden } from '#protocol/errors.ts'
import type { PasswordCheck, SentFields } from '#services/accounts/password-check.ts'
import type { Change } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { sessionAuthenticated, sessionByNumber } from '#storage/stores/sessions.ts'
import type { Clock } from '#util/clock.ts'
import type { InteractiveAuth } from './interactive-auth.ts'

type Deps = {
  readonly db: Reader
  readonly clock: Clock
  readonly interactiveAuth: InteractiveAuth
  readonly passwordCheck: PasswordCheck
  /** How long a user who showed who they are is not asked again. */
  readonly graceMs: number
}

/** What is to be confirmed. */
export type Confirmation = {
  /** The operation with all that matters of it: what was confirmed for one is no good for another. */
  readonly operation: string
  /** The field `auth` of the request. */
  readonly auth: SentFields | undefined
  /** It is enough if the user showed a short while ago who they are. */
  readonly mayBeRecent: boolean
}

/** Something sensitive that the user has confirmed. `finish` belongs into the change that does it; its refusal is `usedMeanwhile`. */
export type Confirmed = { readonly finish: (change: Change) => void }

/** Asks logged-in users who they are before something sensitive is done. */
export class Confirmations {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Throws `InteractionNeeded` until the user has shown it. Application services are never asked. */
  async ask(requester: Requester, { operation, auth, mayBeRecent }: Confirmation): Promise<Confirmed> {
    const { interactiveAuth, passwordCheck, clock } = this.#deps
    if (requester.appserviceId !== undefined) return { finish: () => {} }
    if (mayBeRecent && (await this.#isRecent(requester))) return { finish: () => {} }
    if (!passwordCheck.mayConfirm) throw forbidden('There is no way here to confirm who you are')
    const flows = [['m.login.password']]
    const done = await interactiveAuth.run({ operation, subject: requester.user, params: {}, flows, auth })
    return {
      finish: (change) => {
        done.finish(change)
        change.write(sessionAuthenticated, { session: requester.session, authenticatedTs: clock.now() })
      },
    }
  }

  async #isRecent({ session }: Requester): Promise<boolean> {
    const { db, clock, graceMs } = this.#deps
    if (graceMs === 0) return false
    const ts = (await sessionByNumber(db, session))?.authenticatedTs
    return ts !== undefined && clock.now() - ts < graceMs
  }
}
