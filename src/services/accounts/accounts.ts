import { type MatrixError, unknown, userInUse } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { type AccountKind, type AccountRow, accountAdded, accountFree, accountOf } from '#storage/stores/accounts.ts'
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
  readonly isShadowBanned: boolean
  readonly displayName: string | undefined
}

/** What else happens in the commit that makes an account. */
export type AccountExtras = {
  readonly write: (change: Change, user: number) => Promise<void>
  /** The error where one of the conditions that `write` added does not hold. */
  readonly refused: (condition: string) => MatrixError
}

const NO_EXTRAS: AccountExtras = {
  write: async () => {},
  refused: (condition) => unknown(`The account could not be made: ${condition}`, { status: 500 }),
}

/** How often it is tried again when somebody else makes the same user known. */
const ATTEMPTS = 3

/** The accounts of this server. */
export class Accounts {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Makes an account, and what else belongs into the same commit; resolves to the user's number. Throws `M_USER_IN_USE`. */
  async create(account: NewAccount, extras: AccountExtras = NO_EXTRAS): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const { change, user } = await this.#begin(account.userId)
      this.#write(change, user, account)
      await extras.write(change, user)
      const outcome = await this.#deps.commit(change)
      if (outcome.ok) return user
      const { refusedBy } = outcome
      if (refusedBy === accountFree.name) throw taken()
      if (refusedBy !== userIdFree.name) throw extras.refused(refusedBy)
      if (attempt === ATTEMPTS) throw taken()
    }
  }

  /** The account of a user of this server, or `undefined` where nobody of that name has one. */
  async find(userId: UserId): Promise<AccountRow | undefined> {
    const { users, db } = this.#deps
    const row = users.isLocal(userId) ? await users.find(userId) : undefined
    return row === undefined ? undefined : accountOf(db, row.user)
  }

  /** Throws `M_USER_IN_USE` where somebody has an account of that name, or had one. */
  async mustBeFree(userId: UserId): Promise<void> {
    if ((await this.find(userId)) !== undefined) throw taken()
  }

  /** Somebody may have been invited, and so be known, before they have an account. */
  async #begin(userId: UserId): Promise<{ readonly change: Change; readonly user: number }> {
    const { users, numbers } = this.#deps
    const known = await users.find(userId)
    if (known !== undefined) {
      return { change: new Change().require(accountFree, { user: known.user }), user: known.user }
    }
    const user = await numbers.next('user')
    return {
      change: new Change().require(userIdFree, { userId }).write(userAdded, { user, userId, isLocal: true }),
      user,
    }
  }

  #write(change: Change, user: number, { kind, passwordHash, isAdmin, isShadowBanned, displayName }: NewAccount): void {
    change.write(accountAdded, {
      user,
      kind,
      appservice: undefined,
      passwordHash,
      createdTs: this.#deps.clock.now(),
      isAdmin,
      isLocked: false,
      isSuspended: false,
      isShadowBanned,
      isApproved: true,
      isDeactivated: false,
      isErased: false,
    })
    if (displayName === undefined) return
    const pos = change.log({ kind: LOG_KIND.profile, user })
    change.write(profileFieldSet, { user, field: 'displayname', value: JSON.stringify(displayName), pos })
  }
}

const taken = (): MatrixError => userInUse('This user name is taken')
