import type { Reader } from '#storage/database.ts'
import { localMembersOf, type MembershipName, type MembershipRow, membershipsOf } from '#storage/stores/memberships.ts'

/** The memberships of local users that somebody asked for lately, both ways round. True up to the feed's applied position. */
export class MembershipIndex {
  readonly #db: Reader
  readonly #ofUser = new Map<number, Promise<Map<number, MembershipRow>>>()
  readonly #ofRoom = new Map<number, Promise<Map<number, MembershipName>>>()
  readonly #rooms = new Map<number, ReadonlyMap<number, MembershipName>>()

  constructor(db: Reader) {
    this.#db = db
  }

  /** The rooms of a local user and what they are there. */
  ofUser(user: number): Promise<ReadonlyMap<number, MembershipRow>> {
    return this.#loadUser(user)
  }

  /** The local users of a room and what they are. */
  ofRoom(room: number): Promise<ReadonlyMap<number, MembershipName>> {
    return this.#loadRoom(room)
  }

  /** As `ofRoom`, if it is in memory. */
  peekRoom(room: number): ReadonlyMap<number, MembershipName> | undefined {
    return this.#rooms.get(room)
  }

  /** Takes note of a membership that is durable now. `isRenewal`: it is what it was, by another event. */
  applied(
    membership: MembershipRow,
    { isLocal, isRenewal }: { readonly isLocal: boolean; readonly isRenewal: boolean },
  ): void {
    if (!isLocal) return
    const { user, room } = membership
    // What is being read right now may have been read before this commit: it is told when it is there.
    this.#ofUser.get(user)?.then((rooms) => setNewer(rooms, membership, isRenewal), ignore)
    this.#ofRoom.get(room)?.then((users) => users.set(user, membership.membership), ignore)
  }

  /** The user wants to see nothing more of a room. */
  forgotten(user: number, room: number): void {
    this.#ofUser.get(user)?.then((rooms) => {
      const known = rooms.get(room)
      if (known !== undefined) rooms.set(room, { ...known, isForgotten: true })
    }, ignore)
  }

  /** Forgets a room, so that it is read again. */
  dropRoom(room: number): void {
    this.#ofRoom.delete(room)
    this.#rooms.delete(room)
  }

  /** Forgets a user, so that their rooms are read again. */
  dropUser(user: number): void {
    this.#ofUser.delete(user)
  }

  #loadUser(user: number): Promise<Map<number, MembershipRow>> {
    const known = this.#ofUser.get(user)
    if (known !== undefined) return known
    const loading = membershipsOf(this.#db, user).then((rows) => new Map(rows.map((row) => [row.room, row])))
    this.#ofUser.set(user, loading)
    loading.catch(() => this.#ofUser.delete(user))
    return loading
  }

  #loadRoom(room: number): Promise<Map<number, MembershipName>> {
    const known = this.#ofRoom.get(room)
    if (known !== undefined) return known
    const loading = localMembersOf(this.#db, room).then(
      (rows) => new Map(rows.map(({ user, membership }) => [user, membership])),
    )
    this.#ofRoom.set(room, loading)
    loading.then(
      (users) => this.#rooms.set(room, users),
      () => this.#ofRoom.delete(room),
    )
    return loading
  }
}

// A read that failed is told by whoever awaits it.
const ignore = () => {}

function setNewer(rooms: Map<number, MembershipRow>, membership: MembershipRow, isRenewal: boolean): void {
  const known = rooms.get(membership.room)
  if (known !== undefined && known.pos > membership.pos) return
  rooms.set(
    membership.room,
    isRenewal && known !== undefined ? { ...membership, sincePos: known.sincePos } : membership,
  )
}
