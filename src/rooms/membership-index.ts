import type { Reader } from '#storage/database.ts'
import { localMembersOf, type MembershipName, type MembershipRow, membershipsOf } from '#storage/stores/memberships.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import { KeptReads } from './kept-reads.ts'

type RoomsOfUser = Map<number, MembershipRow>
type UsersOfRoom = Map<number, MembershipName>

type Deps = {
  readonly db: Reader
  readonly ofUser: ByteCache<number, RoomsOfUser>
  readonly ofRoom: ByteCache<number, UsersOfRoom>
}

/** About how many bytes a user's rooms take in memory. */
export const sizeOfRooms = (rooms: RoomsOfUser): number => 200 + rooms.size * 200
/** About how many bytes a room's users take in memory. */
export const sizeOfUsers = (users: UsersOfRoom): number => 200 + users.size * 60

/** The memberships of local users that somebody asked for lately, both ways round. True up to the feed's applied position. */
export class MembershipIndex {
  readonly #ofUser: KeptReads<RoomsOfUser>
  readonly #ofRoom: KeptReads<UsersOfRoom>

  constructor({ db, ofUser, ofRoom }: Deps) {
    this.#ofUser = new KeptReads(
      ofUser,
      async (user) => new Map((await membershipsOf(db, user)).map((row) => [row.room, row])),
    )
    this.#ofRoom = new KeptReads(
      ofRoom,
      async (room) => new Map((await localMembersOf(db, room)).map(({ user, membership }) => [user, membership])),
    )
  }

  /** The rooms of a local user and what they are there. */
  ofUser(user: number): Promise<ReadonlyMap<number, MembershipRow>> {
    return this.#ofUser.get(user)
  }

  /** As `ofUser`, if it is in memory. */
  peekUser(user: number): ReadonlyMap<number, MembershipRow> | undefined {
    return this.#ofUser.peek(user)
  }

  /** The local users of a room and what they are. */
  ofRoom(room: number): Promise<ReadonlyMap<number, MembershipName>> {
    return this.#ofRoom.get(room)
  }

  /** As `ofRoom`, if it is in memory. */
  peekRoom(room: number): ReadonlyMap<number, MembershipName> | undefined {
    return this.#ofRoom.peek(room)
  }

  /** Takes note of a membership that is durable now. `isRenewal`: it is what it was, by another event. */
  applied(
    membership: MembershipRow,
    { isLocal, isRenewal }: { readonly isLocal: boolean; readonly isRenewal: boolean },
  ): void {
    if (!isLocal) return
    const { user, room } = membership
    this.#ofUser.change(user, (rooms) => setNewer(rooms, membership, isRenewal))
    this.#ofRoom.change(room, (users) => users.set(user, membership.membership))
  }

  /** The user wants to see nothing more of a room. */
  forgotten(user: number, room: number): void {
    this.#ofUser.change(user, (rooms) => {
      const known = rooms.get(room)
      if (known !== undefined) rooms.set(room, { ...known, isForgotten: true })
    })
  }

  /** Forgets a room, so that it is read again. */
  dropRoom(room: number): void {
    this.#ofRoom.drop(room)
  }

  /** Forgets a user, so that their rooms are read again. */
  dropUser(user: number): void {
    this.#ofUser.drop(user)
  }
}

function setNewer(rooms: RoomsOfUser, membership: MembershipRow, isRenewal: boolean): void {
  const known = rooms.get(membership.room)
  if (known !== undefined && known.pos > membership.pos) return
  rooms.set(
    membership.room,
    isRenewal && known !== undefined ? { ...membership, sincePos: known.sincePos } : membership,
  )
}
