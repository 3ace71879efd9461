import type { Requester } from '#api/requester.ts'
import { invalidParam } from '#protocol/errors.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Users } from '#services/accounts/users.ts'
import type { SyncContext, UserPart, UserSection } from '#services/sync/sections.ts'
import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { deviceListChanges, usersInRooms, usersSignedBy } from '#storage/stores/device-lists.ts'
import type { MembershipRow } from '#storage/stores/memberships.ts'
import type { Feed } from '#streams/feed.ts'
import { readToken } from '#streams/token.ts'
import { inSlices } from './in-slices.ts'
import { RoomMoves } from './room-moves.ts'

type Deps = {
  readonly db: Reader
  readonly feed: Feed
  readonly memberships: MembershipIndex
  readonly views: RoomViews
  readonly users: Users
  readonly incarnation: number
}

/** User IDs, as clients are told. */
export type DeviceListDifference = { readonly changed: string[]; readonly left: string[] }

type Span = {
  readonly user: number
  readonly memberships: ReadonlyMap<number, MembershipRow>
  readonly since: number
  readonly upTo: number
}

/** How many changes are read at once. */
const PAGE = 1_000
/** Of so many users it is asked in memory, one by one, whether they share a room; of more the database is asked. */
const FEW = 50
const SLICE = 500

/**
 * Whose devices users must look at again: of those who share a room with them, whoever changed something and whoever came; and whom they
 * need not watch any more. https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user
 */
export class DeviceLists {
  readonly #deps: Deps
  readonly #moves: RoomMoves

  constructor(deps: Deps) {
    this.#deps = deps
    this.#moves = new RoomMoves(deps)
  }

  /** The difference since the token, in answers that are no first ones. */
  readonly section: UserSection = {
    print: (context) => this.#print(context),
    isQuiet: (_requester, since) => this.#deps.feed.deviceLists.isQuiet(since.position),
    isInEveryAnswer: false,
  }

  async #print(context: SyncContext): Promise<UserPart> {
    const { requester, since, memberships, upTo } = context
    if (since === undefined) return { fields: [], isNews: false }
    const span = { user: requester.user, memberships, since: since.position, upTo }
    const signed = await this.#signed(context, span)
    if (signed.length === 0 && this.#deps.feed.deviceLists.isQuiet(span.since)) return { fields: [], isNews: false }
    const difference = await this.#between(span, signed)
    const { changed, left } = difference
    if (changed.length === 0 && left.length === 0) return { fields: [], isNews: false }
    return { fields: [`"device_lists":${JSON.stringify(difference)}`], isNews: true }
  }

  /**
   * The difference from a token to now. `to` only says that the client has come that far. A token of another incarnation: everybody who
   * shares a room. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges
   */
  async changes(requester: Requester, { from, to }: { readonly from: string; readonly to: string }) {
    const { feed, memberships, incarnation, db } = this.#deps
    const upTo = feed.applied
    const since = readToken(from)
    if (since === undefined) throw invalidParam("'from' is no token of this server")
    if (readToken(to) === undefined) throw invalidParam("'to' is no token of this server")
    const isOurs = since.incarnation === incarnation && since.position <= upTo
    const span = {
      user: requester.user,
      memberships: await memberships.ofUser(requester.user),
      since: isOurs ? since.position : 0,
      upTo,
    }
    return this.#between(span, await usersSignedBy(db, requester.user, { ...span, limit: PAGE }))
  }

  /** Whose keys the user signed: the user's other devices must see the signatures. */
  async #signed({ own, requester }: SyncContext, span: Span): Promise<readonly number[]> {
    if (own === undefined) return usersSignedBy(this.#deps.db, requester.user, { ...span, limit: PAGE })
    return own.flatMap(({ kind, item }) => (kind === LOG_KIND.keySignature && item !== undefined ? [item] : []))
  }

  async #between(span: Span, signed: readonly number[]): Promise<DeviceListDifference> {
    const { came, went } = await this.#moves.between(span)
    const changed = new Set([...signed, ...came])
    for await (const users of this.#updated(span)) {
      // Users hear of their own changes wherever they are.
      if (users.delete(span.user)) changed.add(span.user)
      for (const user of await this.#sharers(span, users)) changed.add(user)
    }
    const still = await this.#sharers(span, went)
    const left = [...went].filter((user) => !still.has(user) && user !== span.user)
    return { changed: await this.#names(changed), left: await this.#names(left) }
  }

  /** Whose devices changed, on the whole server, part by part. */
  async *#updated({ since, upTo }: Span): AsyncGenerator<Set<number>> {
    const { db, feed } = this.#deps
    const known = feed.deviceLists.changes({ since, upTo })
    if (known !== undefined) {
      if (known.size > 0) yield known
      return
    }
    for (let from = since; ; ) {
      const page = await deviceListChanges(db, { since: from, upTo, limit: PAGE })
      if (page.length > 0) yield new Set(page.map(({ user }) => user))
      if (page.length < PAGE) return
      from = page.at(-1)?.pos ?? upTo
    }
  }

  /** Those of the users who are in one of the rooms that the user of the span is in. */
  async #sharers({ memberships: own }: Span, asked: ReadonlySet<number>): Promise<Set<number>> {
    const { db, users, memberships } = this.#deps
    const sharers = new Set<number>()
    if (asked.size === 0) return sharers
    const rows = asked.size <= FEW ? await users.byNumbers(asked) : new Map()
    const others: number[] = []
    for (const user of asked) {
      if (rows.get(user)?.isLocal !== true) others.push(user)
      else if (doShare(own, await memberships.ofUser(user))) sharers.add(user)
    }
    const joined = others.length === 0 ? [] : joinedOf(own)
    for await (const slice of inSlices(joined.length === 0 ? [] : others, SLICE)) {
      for (const user of await usersInRooms(db, slice, joined)) sharers.add(user)
    }
    return sharers
  }

  async #names(numbers: Iterable<number>): Promise<string[]> {
    const names: string[] = []
    for await (const slice of inSlices(numbers, PAGE)) {
      for (const { userId } of (await this.#deps.users.byNumbers(slice)).values()) names.push(userId)
    }
    return names
  }
}

type Memberships = Span['memberships']

const joinedOf = (memberships: Memberships): number[] =>
  [...memberships.values()].flatMap(({ room, membership }) => (membership === 'join' ? [room] : []))

/** Whether both are in one room. */
function doShare(a: Memberships, b: Memberships): boolean {
  const [fewer, more] = a.size <= b.size ? [a, b] : [b, a]
  for (const { room, membership } of fewer.values()) {
    if (membership === 'join' && more.get(room)?.membership === 'join') return true
  }
  return false
}
