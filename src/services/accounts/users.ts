import { serverNameOf, type UserId } from '#protocol/identifiers.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import { type UserRow, userAdded, userById, userIdFree, usersById, usersByNumber } from '#storage/stores/users.ts'
import type { ByteCache } from '#util/byte-cache.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly numbers: Numbers
  readonly serverName: string
  readonly byId: ByteCache<string, UserRow>
  readonly byNumber: ByteCache<number, UserRow>
}

/** Users by name and by number. */
export class Users {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Whether the user belongs to this server. */
  isLocal(userId: UserId): boolean {
    return serverNameOf(userId) === this.#deps.serverName
  }

  /** The user if some row speaks of them; local users are known only by having an account. */
  async find(userId: string): Promise<UserRow | undefined> {
    const known = this.#deps.byId.get(userId)
    if (known !== undefined) return known
    const found = await userById(this.#deps.db, userId)
    if (found !== undefined) this.#keep(found)
    return found
  }

  /** The number of any user, given now if they had none. */
  async number(userId: UserId): Promise<UserRow> {
    for (;;) {
      const known = await this.find(userId)
      if (known !== undefined) return known
      const added = { user: await this.#deps.numbers.next('user'), userId, isLocal: this.isLocal(userId) }
      const outcome = await this.#deps.commit(new Change().require(userIdFree, { userId }).write(userAdded, added))
      if (outcome.ok) return added
    }
  }

  /** Those of the users that some row speaks of, by ID. */
  async byIds(userIds: Iterable<string>): Promise<Map<string, UserRow>> {
    const users = new Map<string, UserRow>()
    const missing: string[] = []
    for (const userId of userIds) {
      const known = this.#deps.byId.get(userId)
      if (known === undefined) missing.push(userId)
      else users.set(userId, known)
    }
    for (const row of missing.length === 0 ? [] : await usersById(this.#deps.db, missing)) {
      this.#keep(row)
      users.set(row.userId, row)
    }
    return users
  }

  /** The users of these numbers. */
  async byNumbers(numbers: Iterable<number>): Promise<Map<number, UserRow>> {
    const users = new Map<number, UserRow>()
    const missing: number[] = []
    for (const number of numbers) {
      const known = this.#deps.byNumber.get(number)
      if (known === undefined) missing.push(number)
      else users.set(number, known)
    }
    if (missing.length > 0) {
      for (const row of await usersByNumber(this.#deps.db, missing)) {
        this.#keep(row)
        users.set(row.user, row)
      }
    }
    return users
  }

  #keep(row: UserRow): void {
    this.#deps.byId.set(row.userId, row)
    this.#deps.byNumber.set(row.user, row)
  }
}
