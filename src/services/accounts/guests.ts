import type { Requester } from '#api/requester.ts'
import { forbidden, missingParam, unknown } from '#protocol/errors.ts'
import { localpartOf, type UserId } from '#protocol/identifiers.ts'
import { usedMeanwhile } from '#services/accounts/interactive-auth/interactive-auth.ts'
import type { NewSession, Sessions } from '#services/sessions/sessions.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import { accountOfGuest, guestUpgraded } from '#storage/stores/accounts.ts'
import type { Accounts, NewAccount } from './accounts.ts'
import type { Devices } from './devices.ts'
import type { Passwords } from './passwords.ts'
import type { RegistrationRequest } from './registration-request.ts'

type Deps = {
  readonly accounts: Accounts
  readonly commit: Commit
  readonly devices: Devices
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly areGuestsAllowed: boolean
}

/** Accounts of guests. https://spec.matrix.org/v1.19/client-server-api/#guest-access */
export class Guests {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Throws where there are no guests here. */
  mustBeAllowed(): void {
    if (!this.#deps.areGuestsAllowed) throw forbidden('Guest access is disabled')
  }

  /** Makes an account with a session, and no way to get another one. */
  async make(
    { userId, isShadowBanned }: Pick<NewAccount, 'userId' | 'isShadowBanned'>,
    displayName: string | undefined,
  ): Promise<{ readonly userId: UserId; readonly session: NewSession | undefined }> {
    const { accounts, sessions } = this.#deps
    let session: NewSession | undefined
    await accounts.create(
      { userId, kind: 'guest', passwordHash: undefined, isAdmin: false, isShadowBanned, displayName: undefined },
      {
        write: async (change, user) => {
          const wish = { user, deviceId: undefined, displayName, kind: 'legacy', refreshable: false } as const
          session = await sessions.begin(change, wish)
        },
        refused: () => unknown('The account could not be made. Try again.', { status: 503 }),
      },
    )
    return { userId, session }
  }

  /** The guest who wants to become a user by this request, if one does. */
  async of({ guestToken, username }: RegistrationRequest): Promise<Requester | undefined> {
    if (guestToken === undefined) return undefined
    const admission = { auth: 'accessToken', guest: true, suspended: true, locked: false } as const
    const guest = await this.#deps.sessions.authenticate(guestToken, admission)
    if (guest?.isGuest !== true) throw forbidden('The guest access token is none of a guest')
    if (username === undefined) throw missingParam("'username' is missing: expected that of the guest")
    if (username !== localpartOf(guest.userId)) throw forbidden('The user name is not that of the guest')
    return guest
  }

  /** Makes a user of a guest, who keeps the name. `finish` belongs into the same commit. The guest's session ends. */
  async upgrade(
    { user, userId }: Requester,
    request: RegistrationRequest,
    finish: (change: Change) => void,
  ): Promise<{ readonly userId: UserId; readonly session: NewSession | undefined }> {
    const { commit, passwords, sessions, devices } = this.#deps
    const { password, deviceId, deviceName, refreshable, isLoginInhibited } = request
    if (password === undefined) throw missingParam("'password' is missing: expected string")
    const passwordHash = await passwords.hash(password)
    const change = new Change().require(accountOfGuest, { user }).write(guestUpgraded, { user, passwordHash })
    finish(change)
    change.onCommitted(() => sessions.forget((holder) => holder.user === user))
    const outcome = await commit(change)
    if (!outcome.ok) {
      throw outcome.refusedBy === accountOfGuest.name ? forbidden('The guest has an account already') : usedMeanwhile()
    }
    const wish = { user, deviceId, displayName: deviceName, kind: 'legacy', refreshable } as const
    const session = isLoginInhibited ? undefined : await sessions.open(wish)
    await devices.end({ user, isGoing: (one) => one !== session?.deviceId })
    return { userId, session }
  }
}
