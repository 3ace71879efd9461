import type { Requester } from '#api/requester.ts'
import { forbidden } from '#protocol/errors.ts'
import { readHistoryVisibility } from '#protocol/history-visibility.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Viewer } from '#services/sync/visibility.ts'
import { numberInRoom } from '#storage/room-key.ts'
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

  /** What the user may look at; throws `M_FORBIDDEN` where that is nothing, also for rooms that do not exist. */
  async open(requester: Requester, roomId: string): Promise<RoomAccess> {
    const { views, feed, memberships } = this.#deps
    const view = await views.byId(roomId)
    if (view === undefined) throw forbidden('You are not in this room')
    const upTo = feed.applied
    const membership = (await memberships.ofUser(requester.user)).get(view.room)
    const viewer = { userId: requester.userId, membership }
    const state = await view.stateAt(upTo)
    const present = { view, viewer, upTo, state, isPast: false }
    if (membership?.membership === 'join' || (await isWorldReadable(view, state))) return present
    if (membership === undefined || membership.isForgotten || !(await wasIn(view, membership.event, viewer))) {
      throw forbidden('You are not in this room')
    }
    const left = await view.event(numberInRoom(membership.event))
    return { view, viewer, upTo: membership.sincePos, state: left?.row.stateAfter ?? 0, isPast: true }
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

/** Whether somebody who is not in the room now was in it before their last membership event. */
async function wasIn(view: RoomView, event: number, { userId, membership }: Viewer): Promise<boolean> {
  if (membership?.membership !== 'leave' && membership?.membership !== 'ban') return false
  const own = await view.event(numberInRoom(event))
  const before = own?.row.stateBefore
  if (before === undefined) return false
  return (await view.stateEvent(before, 'm.room.member', userId))?.content['membership'] === 'join'
}
