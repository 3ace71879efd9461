import type { Requester } from '#api/requester.ts'
import { forbidden } from '#protocol/errors.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Reader } from '#storage/database.ts'
import { roomIds } from '#storage/stores/rooms.ts'

type Deps = { readonly db: Reader; readonly views: RoomViews; readonly memberships: MembershipIndex }

/** The rooms that users are in. */
export class JoinedRooms {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The IDs of the rooms that the user is in. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3joined_rooms */
  async list(requester: Requester): Promise<string[]> {
    const { db, memberships } = this.#deps
    const own = [...(await memberships.ofUser(requester.user)).values()]
    const joined = own.filter(({ membership }) => membership === 'join').map(({ room }) => room)
    return joined.length === 0 ? [] : (await roomIds(db, joined)).map(({ roomId }) => roomId)
  }

  /** A room that the user is in. Whoever is not in it learns nothing more than that: `M_FORBIDDEN`. */
  async enter(requester: Requester, roomId: RoomId): Promise<RoomView> {
    const { views, memberships } = this.#deps
    const view = await views.byId(roomId)
    const own = view === undefined ? undefined : (await memberships.ofUser(requester.user)).get(view.room)
    if (view === undefined || own?.membership !== 'join') throw forbidden('You are not in this room')
    return view
  }

  /** A room that the user has or had to do with: joined, invited, left. `undefined` for all others. */
  async find(requester: Requester, roomId: RoomId): Promise<RoomView | undefined> {
    const { views, memberships } = this.#deps
    const view = await views.byId(roomId)
    if (view === undefined) return undefined
    return (await memberships.ofUser(requester.user)).has(view.room) ? view : undefined
  }
}
