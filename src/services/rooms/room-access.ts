import type { Requester } from '#api/requester.ts'
import { forbidden } from '#protocol/errors.ts'
import { readHistoryVisibility } from '#protocol/history-visibility.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { RoomViews } from '#rooms/views.ts'
import { departureOf, type Viewer } from '#services/sync/visibility.ts'
import type { Feed } from '#streams/feed.ts'

/** What a user may look at in a room. */
export type RoomAccess = {
  readonly view: RoomView
  readonly viewer: Viewer
  /** Nothing that came after this position is theirs. */
  readonly upTo: number
  /** The state that is the present one for them: of now, or of when they left. */
  readonly state: number
  /** They see the room as it was when they left. */
  readonly isPast: boolean
}

type Deps = { readonly views: RoomViews; readonly memberships: MembershipIndex; readonly feed: Feed }

/** Lets users look at rooms: members at what is, former members at what was when they left, everybody at what is open to the world. */
export class RoomDoor {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** What the user may look at; `undefined` where that is nothing, also for rooms that do not exist. */
  async find(requester: Requester, roomId: string): Promise<RoomAccess | undefined> {
    const { views, feed, memberships } = this.#deps
    const view = await views.byId(roomId)
    if (view === undefined) return undefined
    const upTo = feed.applied
    const membership = (await memberships.ofUser(requester.user)).get(view.room)
    const viewer = { userId: requester.userId, membership }
    const state = await view.stateAt(upTo)
    const present = { view, viewer, upTo, state, isPast: false }
    if (membership?.membership === 'join' || (await isWorldReadable(view, state))) return present
    const departure = membership?.isForgotten === true ? undefined : await departureOf(view, viewer)
    if (departure === undefined) return undefined
    return { view, viewer, upTo: departure.row.pos ?? 0, state: departure.row.stateAfter ?? 0, isPast: true }
  }

  /** As `find`, but throws `M_FORBIDDEN` where there is nothing. */
  async open(requester: Requester, roomId: string): Promise<RoomAccess> {
    const access = await this.find(requester, roomId)
    if (access === undefined) throw forbidden('You are not in this room')
    return access
  }

  /** As `open`, for what those see who may look at the room as it is now. */
  async openPresent(requester: Requester, roomId: string): Promise<RoomAccess> {
    const access = await this.open(requester, roomId)
    if (access.isPast) throw forbidden('You are not in this room any more')
    return access
  }

  /** As `open`, for what only those see who are in the room now. */
  async openToMembers(requester: Requester, roomId: string): Promise<RoomAccess> {
    const access = await this.open(requester, roomId)
    if (access.viewer.membership?.membership !== 'join') throw forbidden('You are not in this room')
    return access
  }
}

const isWorldReadable = async (view: RoomView, state: number): Promise<boolean> =>
  readHistoryVisibility((await view.stateEvent(state, 'm.room.history_visibility', ''))?.content) === 'world_readable'
