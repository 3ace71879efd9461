import { parseUserId } from '#protocol/identifiers.ts'
import type { Reader } from '#storage/database.ts'
import { accountDataOf, NO_ROOM } from '#storage/stores/account-data.ts'
import { usersById } from '#storage/stores/users.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import { get, isObject } from '#util/json.ts'
import { ReadThrough } from '#util/read-through.ts'

/** The type of account data that lists whom a user ignores. https://spec.matrix.org/v1.19/client-server-api/#mignored_user_list */
export const IGNORED_USER_LIST = 'm.ignored_user_list'

/** Users whom somebody ignores: the numbers of those whom this server knows, the names of the others. */
export type IgnoredList = { readonly numbers: ReadonlySet<number>; readonly unknown: readonly string[] }

type Deps = { readonly db: Reader; readonly cache: ByteCache<number, IgnoredList> }

/** How many entries of a list count. */
const MAX_IGNORED = 20_000
/** How many users that were not known are looked for again each time. */
const MAX_UNKNOWN = 1_000

/** How much of the memory budget a list takes. */
export const ignoredListBytes = ({ numbers, unknown }: IgnoredList): number =>
  100 + numbers.size * 40 + unknown.length * 80

/** Whom users ignore. https://spec.matrix.org/v1.19/client-server-api/#ignoring-users */
export class IgnoredUsers {
  readonly #deps: Deps
  readonly #lists: ReadThrough<number, IgnoredList>

  constructor(deps: Deps) {
    this.#deps = deps
    this.#lists = new ReadThrough(deps.cache)
  }

  /** The numbers of those whom the user ignores. */
  readonly of = async (user: number): Promise<ReadonlySet<number>> => {
    const { numbers, unknown } = await this.#lists.get(user, () => this.#read(user))
    if (unknown.length === 0) return numbers
    // Somebody may have become known since, by the very message that is not to be shown.
    const found = await usersById(this.#deps.db, unknown)
    if (found.length === 0) return numbers
    this.forget(user)
    return new Set([...numbers, ...found.map(({ user: one }) => one)])
  }

  /** As `of`, if that is in memory. */
  readonly atHand = (user: number): ReadonlySet<number> | undefined => {
    const list = this.#lists.peek(user)
    return list?.unknown.length === 0 ? list.numbers : undefined
  }

  /** The user's list is another one from now on. */
  forget(user: number): void {
    this.#lists.forget(user)
  }

  async #read(user: number): Promise<IgnoredList> {
    const row = await accountDataOf(this.#deps.db, { user, room: NO_ROOM, type: IGNORED_USER_LIST })
    const listed = row === undefined ? undefined : get(JSON.parse(row.content), 'ignored_users')
    if (!isObject(listed)) return { numbers: new Set(), unknown: [] }
    const userIds = Object.keys(listed)
      .filter((userId) => parseUserId(userId) !== undefined)
      .slice(0, MAX_IGNORED)
    const found = await usersById(this.#deps.db, userIds)
    const known = new Set(found.map(({ userId }) => userId))
    return {
      // Whoever lists themselves would no longer see what they say.
      numbers: new Set(found.map(({ user: one }) => one).filter((one) => one !== user)),
      unknown: userIds.filter((userId) => !known.has(userId)).slice(0, MAX_UNKNOWN),
    }
  }
}
