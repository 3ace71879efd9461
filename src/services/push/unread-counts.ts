import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { RoomContext } from '#services/sync/sections.ts'
import type { Reader } from '#storage/database.ts'
import {
  type CountedThread,
  lastSent,
  MAX_COUNTED,
  readUpTo,
  unreadByThread,
  unreadMarks,
  unreadOfThread,
} from '#storage/stores/unread.ts'
import type { ByteCache } from '#util/byte-cache.ts'

/** How much of a timeline or thread a user has not read. */
export type Unread = { readonly notify: number; readonly highlight: number }

/** What is unread in a room: outside threads, and in each thread that has something, by its root. */
export type UnreadOfRoom = { readonly main: Unread; readonly threads: ReadonlyMap<string, Unread> }

/** Counts as they stood at a position, so that later ones need only look at what arrived since. */
type Known = {
  readonly upTo: number
  readonly main: Unread
  readonly threads: ReadonlyMap<string, Unread>
  readonly basis: Basis
}

/** What was counted besides what arrived: if any of it is another one, everything is counted again. */
type Basis = {
  /** Since when the user is in the room. */
  readonly since: number
  readonly ignored: ReadonlySet<number>
  /** Of the room's view: redactions change what was counted. */
  readonly epoch: symbol
}

type Counting = { readonly user: number; readonly upTo: number; readonly basis: Basis }

type ReadPlaces = {
  readonly everywhere: number
  readonly main: number
  readonly threads: ReadonlyMap<string, number>
}

type Deps = { readonly db: Reader; readonly known: ByteCache<CountKey, Known> }

/** Beyond so many arrivals everything is counted again. */
const MAX_ADDED = 32
const NOTHING: Unread = { notify: 0, highlight: 0 }

/** Counts what users have not read. https://spec.matrix.org/v1.19/client-server-api/#receiving-notifications */
export class UnreadCounts {
  readonly #deps: Deps
  /** What is being counted, so that what a receipt overtakes is not remembered. */
  readonly #counting = new Map<CountKey, object>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The fields of a joined room in a sync. */
  readonly section = (room: RoomContext): string[] | Promise<string[]> => {
    const known = this.#atHand(room)
    return known === undefined ? this.of(room).then((counts) => printCounts(room, counts)) : printCounts(room, known)
  }

  /** As `of`, if memory has all that it takes. */
  #atHand(room: RoomContext): Known | undefined {
    const counting = countingOf(room)
    const key = keyOf(counting.user, room.view.room)
    const known = this.#deps.known.get(key)
    const added = known === undefined ? undefined : addedAtHand(known, room.view, counting)
    if (added === undefined) return undefined
    this.#counting.delete(key)
    this.#deps.known.set(key, added)
    return added
  }

  /** What the requester has not read of the room, up to the context's position. */
  async of(room: RoomContext): Promise<UnreadOfRoom> {
    const { view } = room
    const counting = countingOf(room)
    const key = keyOf(counting.user, view.room)
    const ticket = {}
    this.#counting.set(key, ticket)
    try {
      const known = this.#deps.known.get(key)
      const added = known === undefined ? undefined : await this.#added(known, view, counting)
      const now = added ?? (await this.#count(view, counting))
      if (this.#counting.get(key) === ticket) this.#deps.known.set(key, now)
      return now
    } finally {
      if (this.#counting.get(key) === ticket) this.#counting.delete(key)
    }
  }

  /** The user read on: their counts are made anew. */
  forget(user: number, room: number): void {
    const key = keyOf(user, room)
    this.#counting.delete(key)
    this.#deps.known.delete(key)
  }

  /** The known counts with what arrived since, or `undefined` where that takes more than adding it. */
  async #added(known: Known, view: RoomView, counting: Counting): Promise<Known | undefined> {
    if (!mayGrow(known, counting)) return undefined
    return withEvents(known, await view.arrivals(known.upTo, counting.upTo, MAX_ADDED), counting)
  }

  async #count({ room }: RoomView, { user, upTo, basis }: Counting): Promise<Known> {
    const { db } = this.#deps
    const { ignored, since } = basis
    const read = await this.#readPlaces({ room, user, since, upTo })
    const range = { room, user, after: read.everywhere, upTo, ignored }
    const counts = new Map<string | undefined, Unread>()
    for (const { thread, ...unread } of await unreadByThread(db, range)) counts.set(thread, unread)
    if (read.main > read.everywhere) counts.set(undefined, await this.#mainOnly({ ...range, after: read.main }))
    for (const [thread, after] of read.threads) {
      if (counts.has(thread)) counts.set(thread, await unreadOfThread(db, thread, { ...range, after }))
    }
    for (const { thread, pos, notify, highlight } of await unreadMarks(db, range)) {
      const after = thread === undefined ? read.main : (read.threads.get(thread) ?? read.everywhere)
      if (pos > after) counts.set(thread, add(counts.get(thread) ?? NOTHING, { notify, highlight }))
    }
    const threads = new Map([...counts].filter((one): one is [string, Unread] => one[0] !== undefined))
    return { upTo, main: counts.get(undefined) ?? NOTHING, threads: withoutEmpty(threads), basis }
  }

  /**
   * How far the user has read: everywhere, outside threads, and in threads that are read further than the rest. Whoever says something has
   * read what was said before. https://spec.matrix.org/v1.19/client-server-api/#marking-notifications-as-read
   */
  async #readPlaces(asked: {
    readonly room: number
    readonly user: number
    readonly since: number
    readonly upTo: number
  }): Promise<ReadPlaces> {
    const { db } = this.#deps
    const read = new Map<string, number>()
    const advance = (thread: string, pos: number) => read.set(thread, Math.max(read.get(thread) ?? 0, pos))
    for (const { thread, eventPos } of await readUpTo(db, asked)) advance(thread, eventPos)
    const everywhere = Math.max(asked.since, read.get('') ?? 0)
    for (const { thread, pos } of await lastSent(db, { ...asked, after: everywhere })) advance(thread ?? 'main', pos)
    const threads = [...read].filter(([thread, pos]) => thread !== '' && thread !== 'main' && pos > everywhere)
    return { everywhere, main: Math.max(everywhere, read.get('main') ?? 0), threads: new Map(threads) }
  }

  async #mainOnly(range: Parameters<typeof unreadByThread>[1]) {
    const threads: CountedThread[] = await unreadByThread(this.#deps.db, range)
    return threads.find(({ thread }) => thread === undefined) ?? NOTHING
  }
}

function countingOf({ view, requester, upTo, memberships, ignored }: RoomContext): Counting {
  const since = memberships.get(view.room)?.sincePos ?? 0
  return { user: requester.user, upTo, basis: { since, ignored, epoch: view.epoch } }
}

const mayGrow = (known: Known, { basis, upTo }: Counting): boolean =>
  isSameBasis(known.basis, basis) && known.upTo <= upTo

/** The known counts with what arrived since, if all of that is in memory. */
function addedAtHand(known: Known, view: RoomView, counting: Counting): Known | undefined {
  if (!mayGrow(known, counting)) return undefined
  const events = view.arrivalsAtHand(known.upTo, counting.upTo, MAX_ADDED)
  return events === undefined ? undefined : withEvents(known, events, counting)
}

function withEvents(known: Known, events: readonly LoadedEvent[], { user, upTo, basis }: Counting): Known | undefined {
  if (events.length === MAX_ADDED) return undefined
  let { main, threads } = known
  for (const event of events) {
    const { thread } = event.row
    const before = thread === undefined ? main : (threads.get(thread) ?? NOTHING)
    const after = counted(before, event, { user, ignored: basis.ignored })
    if (after === undefined) return undefined
    if (thread === undefined) main = after
    else if (after !== before) threads = withoutEmpty(new Map(threads).set(thread, after))
  }
  return { upTo, main, threads, basis }
}

function printCounts({ filter }: RoomContext, { main, threads }: UnreadOfRoom): string[] {
  if (threads.size === 0) return [`"unread_notifications":${print(main)}`]
  if (filter.filter.room.timeline.unreadThreadNotifications !== true) {
    return [`"unread_notifications":${print([...threads.values()].reduce(add, main))}`]
  }
  const printed = [...threads].map(([root, unread]) => `${JSON.stringify(root)}:${print(unread)}`)
  return [`"unread_notifications":${print(main)}`, `"unread_thread_notifications":{${printed.join(',')}}`]
}

const isSameBasis = (a: Basis, b: Basis): boolean =>
  a.since === b.since && a.epoch === b.epoch && (a.ignored === b.ignored || a.ignored.size + b.ignored.size === 0)

/** Of a user in a room. A number wherever one can be made of both: text would be put together and hashed for each look-up. */
export type CountKey = number | string

const HALF = 2 ** 26
const keyOf = (user: number, room: number): CountKey =>
  user < HALF && room < HALF ? user * HALF + room : `${user} ${room}`

/** A member's counts of a thread after one more event in it; `undefined` where memory does not say. */
function counted(
  before: Unread,
  { row, unreadMarks: marks }: LoadedEvent,
  { user, ignored }: { readonly user: number; readonly ignored: ReadonlySet<number> },
): Unread | undefined {
  if (marks === undefined) return undefined
  // Only what notifies others tells that somebody spoke: so says the index that counts are made from.
  if (row.sender === user) return row.unreadBits === 0 ? before : NOTHING
  if (ignored.has(row.sender)) return before
  const shared = { notify: row.unreadBits & 1, highlight: row.unreadBits >> 1 }
  const own = marks.get(user)
  return add(before, own === undefined ? shared : add(shared, own))
}

const add = (one: Unread, other: Unread): Unread => ({
  notify: Math.min(MAX_COUNTED, one.notify + other.notify),
  highlight: Math.min(MAX_COUNTED, one.highlight + other.highlight),
})

const withoutEmpty = (threads: ReadonlyMap<string, Unread>): Map<string, Unread> =>
  new Map([...threads].filter(([, { notify, highlight }]) => notify > 0 || highlight > 0))

const print = ({ notify, highlight }: Unread): string =>
  `{"highlight_count":${Math.max(0, highlight)},"notification_count":${Math.max(0, notify)}}`
