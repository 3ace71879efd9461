import type { Requester } from '#api/requester.ts'
import { badJson, invalidParam, notFound, notJson } from '#protocol/errors.ts'
import { limitOf, parseRoomEventFilter, type RoomEventFilter } from '#protocol/filter.ts'
import {
  compileFilter,
  compileRooms,
  type IncomingRelation,
  needsRelations,
  wantsNothing,
} from '#protocol/filter-match.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { wholeState } from '#services/sync/state-delta.ts'
import { type SeenEvent, visibleTo } from '#services/sync/visibility.ts'
import type { Reader } from '#storage/database.ts'
import { eventsAfter, eventsBefore, type StoredEvent } from '#storage/stores/events.ts'
import { incomingRelations } from '#storage/stores/relations.ts'
import { type Place, printToken, readToken, type Token } from '#streams/token.ts'
import type { Json } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'
import type { RoomAccess, RoomDoor } from './room-access.ts'
import { asSeen, type RoomReader } from './room-reader.ts'

type Deps = {
  readonly db: Reader
  readonly door: RoomDoor
  readonly reader: RoomReader
  readonly incarnation: number
}

/** A page as a client asks for it. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages */
export type PageRequest = {
  readonly dir: 'b' | 'f'
  readonly from: string | undefined
  readonly to: string | undefined
  readonly limit: number | undefined
  readonly filter: string | undefined
}

const DEFAULT_LIMIT = 10
const MAX_LIMIT = 1_000
/** How many events are read at once, and how often at most, for a page whose filter or visibility passes few. */
const CHUNK = 100
const MAX_CHUNKS = 20

/** What a page found. `hasMore`: there is something beyond it. */
type Found = { readonly seen: readonly SeenEvent[]; readonly last: LoadedEvent | undefined; readonly hasMore: boolean }
type Walk = {
  readonly access: RoomAccess
  readonly filter: RoomEventFilter
  readonly limit: number
  readonly read: (from: Place | undefined) => Promise<StoredEvent[]>
}

/** Pages through a room's history, in the order of its graph. */
export class Pages {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A page of history, printed. */
  async messages(requester: Requester, roomId: string, request: PageRequest): Promise<string> {
    const access = await this.#deps.door.open(requester, roomId)
    const filter = readFilter(request.filter)
    const limit = limitOf(
      { limit: request.limit ?? filter.limit ?? DEFAULT_LIMIT },
      { fallback: DEFAULT_LIMIT, max: MAX_LIMIT },
    )
    const from = request.from === undefined ? this.#edge(access, request.dir) : this.#token(request.from, 'from')
    const to = request.to === undefined ? undefined : this.#token(request.to, 'to')
    const found = await this.#walk(
      { access, filter, limit, read: this.#reading(access, request.dir, { from, to }) },
      from.place,
    )
    const printed = await this.#deps.reader.print(requester, access, found.seen)
    const start = request.from ?? printToken(from)
    const fields = [`"start":${JSON.stringify(start)}`, `"chunk":[${printed.join(',')}]`]
    const end = found.last === undefined ? start : printToken(placed(from, found.last, request.dir))
    if (found.hasMore) fields.push(`"end":${JSON.stringify(end)}`)
    const state = await this.#stateFor(requester, access, { filter, events: found.seen })
    if (state !== undefined) fields.push(`"state":[${state.join(',')}]`)
    return `{${fields.join(',')}}`
  }

  /** An event with what is before and after it, printed. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidcontexteventid */
  async context(
    requester: Requester,
    roomId: string,
    wanted: { readonly eventId: string; readonly limit: number | undefined; readonly filter: string | undefined },
  ): Promise<string> {
    const { door, reader } = this.#deps
    const access = await door.open(requester, roomId)
    const { view, viewer, upTo } = access
    const [middle] = await reader.find(view, viewer, wanted.eventId)
    if (middle === undefined) throw notFound('There is no such event, or you may not see it')
    const filter = readFilter(wanted.filter)
    const limit = limitOf(
      { limit: wanted.limit ?? filter.limit ?? DEFAULT_LIMIT },
      { fallback: DEFAULT_LIMIT, max: MAX_LIMIT },
    )
    const here: Token = this.#tokenAt(upTo)
    const place = placeOf(middle.event, false)
    const half = { access, filter, limit: Math.floor(limit / 2) }
    const before = await this.#walk({ ...half, read: this.#reading(access, 'b', { from: here, to: undefined }) }, place)
    const after = await this.#walk(
      {
        ...half,
        limit: limit - Math.floor(limit / 2),
        read: this.#reading(access, 'f', { from: this.#tokenAt(0), to: undefined }),
      },
      place,
    )
    const shown = [...before.seen].reverse().concat(middle, after.seen)
    const print = (seen: readonly SeenEvent[]) => reader.print(requester, access, seen)
    const last = shown.at(-1)?.event ?? middle.event
    const state = await this.#contextState(requester, access, { filter, shown, at: last.row.stateAfter ?? 0 })
    return `{${[
      `"event":${(await print([middle]))[0]}`,
      `"events_before":[${(await print(before.seen)).join(',')}]`,
      `"events_after":[${(await print(after.seen)).join(',')}]`,
      `"state":[${state.join(',')}]`,
      `"start":${JSON.stringify(printToken(placed(here, before.last ?? middle.event, 'b')))}`,
      `"end":${JSON.stringify(printToken({ ...this.#tokenAt(0), place: placeOf(after.last ?? middle.event, true) }))}`,
    ].join(',')}}`
  }

  /** Reads chunks beyond a place, as far as the tokens allow. */
  #reading(
    { view, upTo }: RoomAccess,
    dir: 'b' | 'f',
    { from, to }: { readonly from: Token; readonly to: Token | undefined },
  ): Walk['read'] {
    const { db } = this.#deps
    if (dir === 'b') {
      const bound = Math.min(upTo, from.position)
      return async (place) => {
        const rows = await eventsBefore(db, { room: view.room, from: place, upTo: bound, limit: CHUNK })
        return to === undefined ? rows : rows.filter((row) => isAfter(row, to))
      }
    }
    const since = from.place === undefined || from.place.isForward ? from.position : 0
    return async (place) => {
      const rows = await eventsAfter(db, { room: view.room, from: place, since, upTo, limit: CHUNK })
      return to === undefined ? rows : rows.filter((row) => !isAfter(row, to))
    }
  }

  /** Walks on until enough events were found that the viewer may see and wants. */
  async #walk({ access, filter, limit, read }: Walk, start: Place | undefined): Promise<Found> {
    const { view, viewer } = access
    const seen: SeenEvent[] = []
    if (wantsNothing({ ...filter, limit })) return { seen, last: undefined, hasMore: limit === 0 }
    let place = start
    let last: LoadedEvent | undefined
    for (let chunks = 0; chunks < MAX_CHUNKS; chunks++) {
      const rows = await read(place)
      const events = rows.map((row) => view.store.loaded(row, view))
      const wanted = new Set(await this.#wanted(view, await visibleTo(view, viewer, events), filter))
      const byN = new Map([...wanted].map((one) => [one.event.n, one]))
      for (const event of events) {
        const found = byN.get(event.n)
        if (found !== undefined && seen.length === limit) return { seen, last, hasMore: true }
        if (found !== undefined) seen.push(found)
        last = event
      }
      if (rows.length < CHUNK) return { seen, last, hasMore: false }
      place = last === undefined ? place : placeOf(last, false)
    }
    return { seen, last, hasMore: true }
  }

  async #wanted(view: RoomView, seen: readonly SeenEvent[], filter: RoomEventFilter): Promise<readonly SeenEvent[]> {
    if (!compileRooms(filter)(view.roomId)) return []
    const matches = compileFilter(filter)
    const relations = needsRelations(filter) ? await this.#relations(view, seen) : undefined
    return seen.filter(({ event }) =>
      matches(
        { type: event.row.type, sender: event.event.sender, roomId: view.roomId, content: event.content },
        relations?.get(event.row.eventId) ?? [],
      ),
    )
  }

  async #relations(view: RoomView, seen: readonly SeenEvent[]): Promise<Map<string, IncomingRelation[]>> {
    const found = new Map<string, IncomingRelation[]>()
    const ids = seen.map(({ event }) => event.row.eventId)
    for (const { target, relType, userId } of await incomingRelations(this.#deps.db, view.room, ids)) {
      found.set(target, [...(found.get(target) ?? []), { relType, sender: userId }])
    }
    return found
  }

  /** For clients that load members lazily: who sent the events. */
  async #stateFor(
    requester: Requester,
    access: RoomAccess,
    { filter, events }: { readonly filter: RoomEventFilter; readonly events: readonly SeenEvent[] },
  ): Promise<string[] | undefined> {
    if (filter.lazyLoadMembers !== true || events.length === 0) return undefined
    const { view, viewer, state } = access
    const at = events[0]?.event.row.stateAfter ?? state
    const members = new Map<number, LoadedEvent>()
    for (const { event } of events) {
      const member =
        (await view.stateEvent(at, 'm.room.member', event.event.sender)) ??
        (await view.stateEvent(state, 'm.room.member', event.event.sender))
      if (member !== undefined) members.set(member.n, member)
    }
    return this.#deps.reader.print(requester, access, asSeen([...members.values()], viewer))
  }

  async #contextState(
    requester: Requester,
    access: RoomAccess,
    {
      filter,
      shown,
      at,
    }: { readonly filter: RoomEventFilter; readonly shown: readonly SeenEvent[]; readonly at: number },
  ): Promise<string[]> {
    const { view, viewer } = access
    const state = await wholeState(view, at)
    const senders = new Set<string>(shown.map(({ event }) => event.event.sender))
    const told =
      filter.lazyLoadMembers === true
        ? state.filter(({ row, event }) => row.type !== 'm.room.member' || senders.has(event.stateKey ?? ''))
        : state
    return this.#deps.reader.print(requester, access, await this.#wanted(view, asSeen(told, viewer), filter))
  }

  #edge({ upTo }: RoomAccess, dir: 'b' | 'f'): Token {
    return this.#tokenAt(dir === 'b' ? upTo : 0)
  }

  #tokenAt(position: number): Token {
    return { incarnation: this.#deps.incarnation, position, toDevice: 0, stamp: undefined, place: undefined }
  }

  /** A token of another incarnation has a place in the graph still, but its position says nothing. */
  #token(text: string, name: string): Token {
    const token = readToken(text)
    if (token === undefined) throw invalidParam(`'${name}' is no token of this server`)
    return token.incarnation === this.#deps.incarnation ? token : { ...token, position: Number.MAX_SAFE_INTEGER }
  }
}

const placeOf = ({ row }: LoadedEvent, isForward: boolean): Place => ({
  depth: row.depth,
  pos: row.pos ?? 0,
  isForward,
})

/** The token at which paging goes on beyond an event. */
const placed = (from: Token, event: LoadedEvent, dir: 'b' | 'f'): Token => {
  // Going forward from a position means: what arrived after it. Going forward from a place means: whatever is above it.
  const isForward = dir === 'f' && (from.place === undefined || from.place.isForward)
  return { ...from, toDevice: 0, stamp: undefined, place: placeOf(event, isForward) }
}

/** Whether an event comes after a token: after its place, or after its position. */
const isAfter = ({ depth, pos }: StoredEvent, { place, position }: Token): boolean => {
  if (place === undefined) return (pos ?? 0) > position
  return depth > place.depth || (depth === place.depth && (pos ?? 0) > place.pos)
}

function readFilter(text: string | undefined): RoomEventFilter {
  if (text === undefined || text === '') return {}
  let json: Json
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw notJson("'filter' is no JSON", { cause })
  }
  const filter = parseRoomEventFilter(json)
  if (isRefusal(filter)) throw badJson(filter.reason)
  return filter
}
