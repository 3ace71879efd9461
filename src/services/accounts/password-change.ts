import type { Requester } from '#api/requester.ts'
import { forbidden } from '#protocol/errors.ts'
import type { Confirmations } from '#services/accounts/interactive-auth/confirmations.ts'
import type { InteractiveAuth } from '#services/accounts/interactive-auth/interactive-auth.ts'
import type { Change } from '#storage/change.ts'
import { accountActive, passwordChanged } from '#storage/stores/accounts.ts'
import { get } from '#util/json.ts'
import type { Devices } from './devices.ts'
import type { PasswordCheck, SentFields } from './password-check.ts'
import type { Passwords } from './passwords.ts'

type Deps = {
  readonly passwords: Passwords
  readonly passwordCheck: PasswordCheck
  readonly interactiveAuth: InteractiveAuth
  readonly confirmations: Confirmations
  readonly devices: Devices
}

const OPERATION = 'change password'

/** Changes passwords. https://spec.matrix.org/v1.19/client-server-api/#password-management */
export class PasswordChanges {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Sets a new password once the user has confirmed it by the old one; without an access token, that says who it is. */
  async change(
    requester: Requester | undefined,
    wish: {
      readonly newPassword: string
      readonly logoutDevices: boolean
      readonly auth: SentFields | undefined
    },
  ): Promise<void> {
    const { passwords, passwordCheck, devices } = this.#deps
    if (!passwordCheck.mayConfirm) throw forbidden('Passwords cannot be changed here')
    passwords.judge(wish.newPassword)
    const { user, finish } = await this.#authenticate(requester, wish.auth)
    const passwordHash = await passwords.hash(wish.newPassword)
    await devices.end({
      user,
      isGoing: (deviceId, session) =>
        wish.logoutDevices &&
        session !== requester?.session &&
        (deviceId === undefined || deviceId !== requester?.deviceId),
      write: (change) => {
        change.require(accountActive, { user }).write(passwordChanged, { user, passwordHash })
        finish(change)
      },
      refused: (condition) => (condition === accountActive.name ? forbidden('There is no such account') : undefined),
    })
  }

  async #authenticate(
    requester: Requester | undefined,
    auth: SentFields | undefined,
  ): Promise<{ readonly user: number; readonly finish: (change: Change) => void }> {
    const { interactiveAuth, confirmations } = this.#deps
    if (requester !== undefined) {
      const confirmed = await confirmations.ask(requester, { operation: OPERATION, auth, mayBeRecent: false })
      return { user: requester.user, finish: confirmed.finish }
    }
    const flows = [['m.login.password']]
    const done = await interactiveAuth.run({ operation: OPERATION, subject: undefined, params: {}, flows, auth })
    const user = get(done.facts.get('m.login.password'), 'user')
    if (typeof user !== 'number') throw forbidden('It is not known whose password to change')
    return { user, finish: done.finish }
  }
}
