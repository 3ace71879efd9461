import { userInUse } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { type AccountKind, type AccountRow, accountAdded, accountOf } from '#storage/stores/accounts.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import { profileFieldSet } from '#storage/stores/profiles.ts'
import { userAdded, userIdFree } from '#storage/stores/users.ts'
import type { Clock } from '#util/clock.ts'
import type { Users } from './users.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly numbers: Numbers
  readonly clock: Clock
  readonly users: Users
}

/** An account to be made. */
export type NewAccount = {
  readonly userId: UserId
  readonly kind: AccountKind
  /** `undefined`: nobody gets in by password. */
  readonly passwordHash: string | undefined
  readonly isAdmin: boolean
  readonly displayName: string | undefined
}

/** The accounts of this server. */
export class Accounts {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Makes an account, and what `extend` adds to it in the same commit; resolves to the user's number. Throws `M_USER_IN_USE`. */
  async create(
    account: NewAccount,
    extend: (change: Change, user: number) => Promise<void> = async () => {},
  ): Promise<number> {
    const { users, numbers, commit, clock } = this.#deps
    const { userId, kind, passwordHash, isAdmin, displayName } = account
    if ((await users.find(userId)) !== undefined) throw userInUse('This user name is taken')
    const user = await numbers.next('user')
    const change = new Change().require(userIdFree, { userId }).write(userAdded, { user, userId, isLocal: true })
    change.write(accountAdded, {
      user,
      kind,
      appservice: undefined,
      passwordHash,
      createdTs: clock.now(),
      isAdmin,
      isLocked: false,
      isSuspended: false,
      isShadowBanned: false,
      isApproved: true,
      isDeactivated: false,
      isErased: false,
    })
    if (displayName !== undefined) {
      const pos = change.log({ kind: LOG_KIND.profile, user })
      change.write(profileFieldSet, { user, field: 'displayname', value: JSON.stringify(displayName), pos })
    }
    await extend(change, user)
    const outcome = await commit(change)
    if (!outcome.ok) throw userInUse('This user name is taken')
    return user
  }

  /** The account of a user of this server, or `undefined` where nobody of that name has one. */
  async find(userId: UserId): Promise<AccountRow | undefined> {
    const { users, db } = this.#deps
    const row = users.isLocal(userId) ? await users.find(userId) : undefined
    return row === undefined ? undefined : accountOf(db, row.user)
  }
}
