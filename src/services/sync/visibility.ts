import { type HistoryVisibility, mayUserSee, readHistoryVisibility } from '#protocol/history-visibility.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { numberInRoom } from '#storage/room-key.ts'
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
  const departure = await departureOf(view, viewer)
  let at: AsSeen | undefined
  for (const event of events) {
    const { row } = event
    if (row.rejectedBy !== undefined || row.isSoftFailed || row.isOutlier) continue
    const state = row.stateBefore ?? 0
    // Messages that follow each other have the same state before them.
    if (at?.state !== state) at = await seenFrom(view, state, viewer.userId)
    const { membership, visibility } = at
    const hasJoinedSince = viewer.membership?.membership === 'join' || isBefore(event, departure)
    const asSeen = { userId: viewer.userId, membership, hasJoinedSince }
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

/** How many changes of a membership are followed back, to find when a user was in a room. */
const MAX_CHANGES = 100

/** The event by which somebody who is out of the room went out of it last; `undefined` where they never were in it. */
export async function departureOf(view: RoomView, { membership, userId }: Viewer): Promise<LoadedEvent | undefined> {
  if (membership?.membership !== 'leave' && membership?.membership !== 'ban') return undefined
  let event = await view.event(numberInRoom(membership.event))
  for (let changes = 0; changes < MAX_CHANGES && event?.row.stateBefore !== undefined; changes++) {
    const former: LoadedEvent | undefined = await view.stateEvent(event.row.stateBefore, 'm.room.member', userId)
    if (getString(former?.content, 'membership') === 'join') return event
    event = former
  }
  return undefined
}

/** Whether the event was sent before the user went out. What was fetched as history was. */
const isBefore = ({ row }: LoadedEvent, departure: LoadedEvent | undefined): boolean =>
  departure !== undefined && (row.isBackfilled || (row.pos ?? 0) <= (departure.row.pos ?? 0))

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
