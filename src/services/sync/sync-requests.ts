import type { Requester } from '#api/requester.ts'
import { badJson, invalidParam, notFound, notJson } from '#protocol/errors.ts'
import { parseFilter } from '#protocol/filter.ts'
import type { Reader } from '#storage/database.ts'
import { filterOf } from '#storage/stores/filters.ts'
import type { Feed } from '#streams/feed.ts'
import { readToken, type Token } from '#streams/token.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import type { Json } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'
import { type CompiledFilter, compileSyncFilter, openFilter, type SyncClient, type SyncRequest } from './request.ts'

type Deps = {
  readonly db: Reader
  readonly feed: Feed
  readonly incarnation: number
  /** The most events of a timeline; `undefined`: as many as the client likes. */
  readonly maxTimeline: number | undefined
  readonly filters: ByteCache<string, CompiledFilter>
}

/** A sync as the client writes it. */
export type WrittenSync = {
  readonly filter: string | undefined
  readonly since: string | undefined
  readonly fullState: boolean
  readonly timeoutMs: number
  readonly stateAfter: boolean
  readonly unstableStateAfter: boolean
  readonly client: SyncClient
}

/** Reads what clients ask of a sync. */
export class SyncRequests {
  readonly #deps: Deps
  readonly #maxTimeline: number
  readonly #open: CompiledFilter

  constructor(deps: Deps) {
    this.#deps = deps
    this.#maxTimeline = deps.maxTimeline ?? 1_000
    this.#open = openFilter(this.#maxTimeline)
  }

  /** What is asked, at once where the filter is known. */
  read(requester: Requester, written: WrittenSync): SyncRequest | Promise<SyncRequest> {
    const { fullState, timeoutMs, client } = written
    const since = this.#since(written.since)
    const stateAfter = stateAfterName(written)
    const request = (filter: CompiledFilter): SyncRequest => {
      return { requester, since, filter, fullState, timeoutMs, stateAfter, client }
    }
    const filter = this.#filter(requester, written.filter)
    return filter instanceof Promise ? filter.then(request) : request(filter)
  }

  /** A token of another incarnation, or from a future that did not come to be, is answered like a first sync. */
  #since(text: string | undefined): Token | undefined {
    if (text === undefined) return undefined
    const token = readToken(text)
    if (token === undefined) throw invalidParam("'since' is no token of this server")
    const { feed, incarnation } = this.#deps
    return token.incarnation === incarnation && token.position <= feed.applied ? token : undefined
  }

  /** A filter is its definition, or the ID of one that was uploaded. */
  #filter(requester: Requester, text: string | undefined): CompiledFilter | Promise<CompiledFilter> {
    if (text === undefined || text === '') return this.#open
    const key = text.startsWith('{') ? text : `${requester.user}\0${text}`
    return this.#deps.filters.get(key) ?? this.#compiled(requester, text, key)
  }

  async #compiled(requester: Requester, text: string, key: string): Promise<CompiledFilter> {
    const parsed = parseFilter(text.startsWith('{') ? parseJson(text) : await this.#stored(requester, text))
    if (isRefusal(parsed)) throw badJson(parsed.reason)
    const compiled = compileSyncFilter(parsed, this.#maxTimeline)
    this.#deps.filters.set(key, compiled)
    return compiled
  }

  async #stored(requester: Requester, id: string): Promise<Json> {
    const found = /^[0-9]{1,15}$/.test(id) ? await filterOf(this.#deps.db, requester.user, Number(id)) : undefined
    if (found === undefined) throw notFound('There is no filter of that ID')
    return JSON.parse(found)
  }
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notJson("'filter' is no JSON", { cause })
  }
}

const stateAfterName = ({ stateAfter, unstableStateAfter }: WrittenSync): SyncRequest['stateAfter'] => {
  if (stateAfter) return 'state_after'
  return unstableStateAfter ? 'org.matrix.msc4222.state_after' : undefined
}
