import type { Requester } from '#api/requester.ts'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { badJson, notFound, tooLarge } from '#protocol/errors.ts'
import { parseFilter } from '#protocol/filter.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { filterAdded, filterLike, filterNew, filterOf } from '#storage/stores/filters.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import type { JsonObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'
import { mustBeOneself } from './oneself.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly numbers: Numbers }

/** The largest filter, as canonical JSON, and how many of them a user may have. */
const MAX_FILTER_BYTES = 128 * 1024
const MAX_FILTERS = 1_000

/** The filters that users uploaded. https://spec.matrix.org/v1.19/client-server-api/#filtering */
export class Filters {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Keeps a filter and resolves to its ID. The same definition has the same ID, however often it comes. */
  async define(requester: Requester, userId: UserId, filter: JsonObject): Promise<string> {
    mustBeOneself(requester, userId)
    const { db, commit, numbers } = this.#deps
    const { user } = requester
    const parsed = parseFilter(filter)
    if (isRefusal(parsed)) throw badJson(parsed.reason)
    const definition = canonicalJson(filter)
    if (Buffer.byteLength(definition) > MAX_FILTER_BYTES) {
      throw tooLarge(`A filter may have ${MAX_FILTER_BYTES} bytes at most`)
    }
    const known = await filterLike(db, user, definition)
    if (known !== undefined) return String(known)
    const number = await numbers.next('filter')
    const change = new Change().require(filterNew, { user, definition, limit: MAX_FILTERS })
    const outcome = await commit(change.write(filterAdded, { user, filter: number, definition }))
    if (outcome.ok) return String(number)
    const other = await filterLike(db, user, definition)
    if (other === undefined) throw tooLarge(`At most ${MAX_FILTERS} filters are kept for a user`)
    return String(other)
  }

  /** The definition of a filter, as JSON. Throws `M_NOT_FOUND`. */
  async get(requester: Requester, userId: UserId, filterId: string): Promise<string> {
    mustBeOneself(requester, userId)
    const number = /^[0-9]{1,15}$/.test(filterId) ? Number(filterId) : undefined
    const definition = number === undefined ? undefined : await filterOf(this.#deps.db, requester.user, number)
    if (definition === undefined) throw notFound('There is no filter of that ID')
    return definition
  }
}
