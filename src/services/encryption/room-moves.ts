import type { RoomViews } from '#rooms/views.ts'
import type { Users } from '#services/accounts/users.ts'
import type { Reader } from '#storage/database.ts'
import { movesInRoom, roomsWithMoves } from '#storage/stores/device-lists.ts'
import { type MembershipRow, membershipsIn, membershipsOfRoom } from '#storage/stores/memberships.ts'
import type { Feed } from '#streams/feed.ts'
import { getString } from '#util/json.ts'
import { inSlices } from './in-slices.ts'

type Deps = {
  readonly db: Reader
  readonly feed: Feed
  readonly views: RoomViews
  readonly users: Users
}

type Span = {
  readonly user: number
  readonly memberships: ReadonlyMap<number, MembershipRow>
  readonly since: number
  readonly upTo: number
}
/** Numbers of users: who is in a room with the user and was not in that room before, and who was in one and is not in that one any more. */
export type Moves = { readonly came: ReadonlySet<number>; readonly went: ReadonlySet<number> }
type Found = { readonly came: Set<number>; readonly went: Set<number> }

const PAGE = 1_000
const SLICE = 500

/** Who came into a user's rooms and who went, or the user themself. Costs what moved, not how many rooms there are. */
export class RoomMoves {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async between(span: Span): Promise<Moves> {
    const found: Found = { came: new Set(), went: new Set() }
    for (const room of await this.#movedRooms(span)) {
      const own = span.memberships.get(room)
      if (own?.membership === 'join') {
        if (own.sincePos > span.since) await this.#all(span, room, (one) => found.came.add(one.user))
        await this.#others(span, room, found)
      } else if (own !== undefined && (await this.#wereIn(span, room, [span.user])).length > 0) {
        // Whoever was there before the user went, and those who went before that.
        await this.#all(span, room, (one) => one.sincePos < own.sincePos && found.went.add(one.user))
        await this.#others(span, room, { came: new Set(), went: found.went })
      }
    }
    found.came.delete(span.user)
    return found
  }

  /** The rooms that the user is in, or left, in which somebody came or went. */
  async #movedRooms({ memberships, since, upTo }: Span): Promise<number[]> {
    const moved: number[] = []
    const asked: number[] = []
    for (const { room, membership, sincePos } of memberships.values()) {
      if (membership !== 'join' && sincePos <= since) continue
      const hasMoves = this.#deps.feed.deviceLists.hasMoves(room, since)
      if (hasMoves === true) moved.push(room)
      else if (hasMoves === undefined) asked.push(room)
    }
    for await (const slice of inSlices(asked, SLICE)) {
      moved.push(...(await roomsWithMoves(this.#deps.db, slice, { since, upTo })))
    }
    return moved
  }

  /** Looks at everybody who is in the room. */
  async #all(span: Span, room: number, look: (member: MembershipRow) => void): Promise<void> {
    for (let after = 0; ; ) {
      const page = await membershipsOfRoom(this.#deps.db, { room, after, limit: PAGE })
      for (const member of page) if (member.membership === 'join' && member.user !== span.user) look(member)
      if (page.length < PAGE) return
      after = page.at(-1)?.user ?? 0
    }
  }

  /** Looks at those whose membership in the room changed. */
  async #others(span: Span, room: number, found: Found): Promise<void> {
    const moved = await this.#movedUsers(span, room)
    moved.delete(span.user)
    for await (const slice of inSlices(moved, SLICE)) {
      const members = await membershipsIn(this.#deps.db, room, slice)
      const gone: number[] = []
      for (const { user, membership, sincePos } of members) {
        if (membership !== 'join') gone.push(user)
        else if (sincePos > span.since) found.came.add(user)
      }
      for (const user of await this.#wereIn(span, room, gone)) found.went.add(user)
    }
  }

  async #movedUsers({ since, upTo }: Span, room: number): Promise<Set<number>> {
    const moved = new Set<number>()
    for (let from = since; ; ) {
      const page = await movesInRoom(this.#deps.db, room, { since: from, upTo, limit: PAGE })
      for (const { user } of page) moved.add(user)
      if (page.length < PAGE) return moved
      from = page.at(-1)?.pos ?? upTo
    }
  }

  /** Those of the users who were in the room at the beginning of the span, by its state of then. */
  async #wereIn({ since }: Span, room: number, users: readonly number[]): Promise<number[]> {
    if (users.length === 0) return []
    const view = await this.#deps.views.byNumber(room)
    const state = await view.stateAt(since)
    const were: number[] = []
    for (const { user, userId } of (await this.#deps.users.byNumbers(users)).values()) {
      const member = await view.stateEvent(state, 'm.room.member', userId)
      if (getString(member?.content, 'membership') === 'join') were.push(user)
    }
    return were
  }
}
