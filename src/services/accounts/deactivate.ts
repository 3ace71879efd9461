import { MatrixError, notFound } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { Audit } from '#services/audit.ts'
import type { Memberships } from '#services/rooms/memberships.ts'
import type { Sessions } from '#services/sessions/sessions.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import { type AccountRow, accountDeactivated } from '#storage/stores/accounts.ts'
import { profileRemoved } from '#storage/stores/profiles.ts'
import { loginTokensOfUserRemoved } from '#storage/stores/sessions.ts'
import type { Logger } from '#util/logger.ts'
import type { Accounts } from './accounts.ts'
import type { Devices } from './devices.ts'
import { requesterOf } from './standing.ts'

/** Takes away what belongs to an account that is deactivated. What is gone already is no error. */
export type AccountCleanup = (user: number) => Promise<void>

type Deps = {
  readonly accounts: Accounts
  readonly commit: Commit
  readonly sessions: Sessions
  readonly devices: Devices
  readonly audit: Audit
  readonly memberships: MembershipIndex
  readonly rooms: RoomRegistry
  readonly roomMemberships: Memberships
  readonly whenGone: readonly AccountCleanup[]
  readonly log: Logger
}

/** How an account is to be deactivated. */
export type Deactivation = {
  /** What the user wrote is hidden from those who come later. */
  readonly erase: boolean
  /** The administrator who does it; `undefined` if the user does. */
  readonly by: { readonly actor: number | undefined } | undefined
  /** What belongs into the same commit. */
  readonly write?: (change: Change) => void
}

/** Ends the use of accounts, for good. https://spec.matrix.org/v1.19/client-server-api/#account-deactivation */
export class Deactivations {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /**
   * Takes password, profile, sessions and devices away and leaves all rooms. Nobody can log in once the first of it is done; if the server ends
   * in between, doing it again does the rest.
   */
  async deactivate(userId: UserId, { erase, by, write }: Deactivation): Promise<void> {
    const { accounts, commit, audit, sessions, devices } = this.#deps
    const account = await accounts.find(userId)
    if (account === undefined) throw notFound('There is no such account here')
    const { user } = account
    const change = new Change()
      .write(accountDeactivated, { user, isErased: erase })
      .write(profileRemoved, { user })
      .write(loginTokensOfUserRemoved, { user })
    change.log({ kind: LOG_KIND.profile, user })
    if (by !== undefined) {
      await audit.write(change, { actor: by.actor, action: 'deactivate', subject: userId, detail: { erase } })
    }
    write?.(change)
    change.onCommitted(() => sessions.forget((holder) => holder.user === user))
    const outcome = await commit(change)
    if (!outcome.ok) throw new Error(`the deactivation was refused by ${outcome.refusedBy}`)
    await devices.logoutAll({ user })
    for (const clean of this.#deps.whenGone) await clean(user)
    await this.#leaveRooms(account, userId)
  }

  async #leaveRooms(account: AccountRow, userId: UserId): Promise<void> {
    const { memberships, rooms, roomMemberships, log } = this.#deps
    const requester = requesterOf({ ...account, userId, accountKind: account.kind, deviceId: undefined, session: 0 })
    for (const { room, membership } of [...(await memberships.ofUser(account.user)).values()]) {
      if (membership === 'leave' || membership === 'ban') continue
      const { roomId } = await rooms.byNumber(room)
      try {
        await roomMemberships.leave(requester, roomId, undefined)
      } catch (error) {
        // A room that cannot be left does not keep the user in the others.
        if (!(error instanceof MatrixError)) throw error
        log.warn('room_not_left', { userId, roomId, error: error.message })
      }
    }
  }
}
