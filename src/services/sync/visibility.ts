import { type HistoryVisibility, mayUserSee, readHistoryVisibility } from '#protocol/history-visibility.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { MembershipRow } from '#storage/stores/memberships.ts'
import { getString } from '#util/json.ts'

/** A user who looks at a room, and what they are there now. */
export type Viewer = { readonly userId: UserId; readonly membership: MembershipRow | undefined }

/** An event that a viewer may see, with what they were when it was sent. */
export type SeenEvent = { readonly event: LoadedEvent; readonly membership: string }

/** Those of the events that the viewer may see. Rejected and soft-failed events are never seen. https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility */
export const visibleTo = async (
  view: RoomView,
  viewer: Viewer,
  events: readonly LoadedEvent[],
): Promise<SeenEvent[]> => {
  const seen: SeenEvent[] = []
  const hasJoined = await hasJoinedSince(view, viewer)
  let at: AsSeen | undefined
  for (const event of events) {
    const { row } = event
    if (row.rejectedBy !== undefined || row.isSoftFailed || row.isOutlier) continue
    const state = row.stateBefore ?? 0
    // Messages that follow each other have the same state before them.
    if (at?.state !== state) at = await seenFrom(view, state, viewer.userId)
    const { membership, visibility } = at
    const asSeen = { userId: viewer.userId, membership, hasJoinedSince: hasJoined }
    const isTheirs = visibility === 'world_readable' || isSent(event, viewer)
    if (isTheirs && mayUserSee({ event: event.event, visibility }, asSeen)) {
      seen.push({ event, membership: membershipWith(event, viewer.userId) ?? membership ?? 'leave' })
    }
  }
  return seen
}

type AsSeen = {
  readonly state: number
  readonly membership: string | undefined
  readonly visibility: HistoryVisibility
}

/** What a user is in a state of the room, and what it says of who may see. */
const seenFrom = async (view: RoomView, state: number, userId: UserId): Promise<AsSeen> => ({
  state,
  membership: await membershipAt(view, state, userId),
  visibility: readHistoryVisibility((await view.stateEvent(state, 'm.room.history_visibility', ''))?.content),
})

/** Whether the viewer is or was in the room, so that `shared` history is theirs. */
async function hasJoinedSince(view: RoomView, { membership, userId }: Viewer): Promise<boolean> {
  if (membership === undefined) return false
  if (membership.membership === 'join') return true
  if (membership.membership !== 'leave' && membership.membership !== 'ban') return false
  const left = await view.event(membership.event % 2 ** 28)
  return left?.row.stateBefore !== undefined && (await membershipAt(view, left.row.stateBefore, userId)) === 'join'
}

/** Whoever has left sees what was sent until then. */
const isSent = ({ row }: LoadedEvent, { membership }: Viewer): boolean =>
  membership === undefined ||
  membership.membership === 'join' ||
  membership.membership === 'invite' ||
  membership.membership === 'knock' ||
  row.isBackfilled ||
  (row.pos ?? 0) <= membership.sincePos

/** What a user was in a state of the room. */
export const membershipAt = async (view: RoomView, state: number, userId: UserId): Promise<string | undefined> =>
  getString((await view.stateEvent(state, 'm.room.member', userId))?.content, 'membership')

/** What the event itself makes of the user. */
const membershipWith = ({ row, event }: LoadedEvent, userId: UserId): string | undefined =>
  row.type === 'm.room.member' && event.stateKey === userId ? getString(event.content, 'membership') : undefined
