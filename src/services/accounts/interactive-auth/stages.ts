import { type MatrixError, unauthorized } from '#protocol/errors.ts'
import type { PasswordCheck, SentFields } from '#services/accounts/password-check.ts'
import type { Change } from '#storage/change.ts'
import {
  registrationTokenClaimed,
  registrationTokenGood,
  registrationTokenReleased,
} from '#storage/stores/registration-tokens.ts'
import type { Clock } from '#util/clock.ts'
import { getString, type JsonObject } from '#util/json.ts'

/** What became of an attempt: what it showed, or why it failed. */
export type StageOutcome =
  | {
      readonly ok: true
      readonly fact: JsonObject
      /** What is taken when the stage is done, in the same commit. It gives the condition's error where it cannot be had. */
      readonly claim?: (change: Change) => (condition: string) => MatrixError | undefined
    }
  | { readonly ok: false; readonly error: MatrixError }

/** A stage of interactive authentication. https://spec.matrix.org/v1.19/client-server-api/#authentication-types */
export type Stage = {
  readonly type: string
  /** What clients need to know for it. */
  readonly params: JsonObject | undefined
  /** `subject`: the number of the user who is to be authenticated, where that is known. */
  readonly attempt: (auth: SentFields, subject: number | undefined) => Promise<StageOutcome>
  /** Gives back what was taken, when nothing came of it. */
  readonly release?: (change: Change, fact: JsonObject) => void
}

/** Asks nothing. https://spec.matrix.org/v1.19/client-server-api/#dummy-auth */
export const dummyStage: Stage = {
  type: 'm.login.dummy',
  params: undefined,
  attempt: async () => ({ ok: true, fact: {} }),
}

/** The password of the subject, or of anybody where there is none. The fact is whose it was. https://spec.matrix.org/v1.19/client-server-api/#password-based */
export const passwordStage = (passwordCheck: PasswordCheck): Stage => ({
  type: 'm.login.password',
  params: undefined,
  attempt: async (auth, subject) => {
    const { account } = await passwordCheck.verifyFields(auth, subject)
    return { ok: true, fact: { user: account.user } }
  },
})

/** A token that an administrator has issued. A use of it is taken at once, and given back when the registration is not finished. https://spec.matrix.org/v1.19/client-server-api/#token-authenticated-registration */
export const registrationTokenStage = (clock: Clock): Stage => ({
  type: 'm.login.registration_token',
  params: undefined,
  attempt: async (auth) => {
    const token = getString(auth, 'token')
    const invalid = unauthorized('The registration token is not valid')
    if (token === undefined || token.length > 64) return { ok: false, error: invalid }
    return {
      ok: true,
      fact: { token },
      claim: (change) => {
        change.require(registrationTokenGood, { token, now: clock.now() }).write(registrationTokenClaimed, { token })
        return (condition) => (condition === registrationTokenGood.name ? invalid : undefined)
      },
    }
  },
  release: (change, fact) => {
    const token = getString(fact, 'token')
    if (token !== undefined) change.write(registrationTokenReleased, { token })
  },
})

/** Policies that new users accept. https://spec.matrix.org/v1.19/client-server-api/#terms-of-service-at-registration */
export const termsStage = (policies: JsonObject): Stage => ({
  type: 'm.login.terms',
  params: { policies },
  attempt: async () => ({ ok: true, fact: {} }),
})
