import type { LoadedEvent } from '#rooms/loaded-event.ts'
import { printSeen } from '#services/events/client-events.ts'
import type { SentMembers } from './lazy-members.ts'
import type { RoomContext } from './sections.ts'

/** Messages of a room since the token, and the state that it had all the time. */
export type PlainHistory = { readonly events: readonly LoadedEvent[]; readonly state: number }

/**
 * What happened in a room, where that is nothing but messages, all of them in memory, while its state stayed the same and the requester was in it:
 * then every event is theirs to see, whatever the room's history visibility says, and nothing need be read. Most answers to those who wait are
 * such. The decision is made for each viewer and shared by none. `undefined`: it takes a closer look.
 */
export const plainHistory = (room: RoomContext, sent: SentMembers): PlainHistory | undefined => {
  const { view, filter, roomSince, upTo, memberships } = room
  const membership = memberships.get(view.room)
  if (roomSince === 0 || membership?.membership !== 'join' || membership.pos > roomSince) return undefined
  if (!filter.isTimelineOpen || filter.fields !== undefined || filter.filter.eventFormat !== 'client') return undefined
  const state = view.stateAtHand(roomSince)
  if (state === undefined || view.stateAtHand(upTo) !== state) return undefined
  const events = view.arrivalsAtHand(roomSince, upTo, filter.timelineLimit + 1)
  if (events === undefined || events.length > filter.timelineLimit) return undefined
  if (!events.every((event) => isPlain(event, state, room))) return undefined
  return knowsSenders({ events, state }, room, sent) ? { events, state } : undefined
}

/** Prints such a history as fields of a room; `undefined` if there is nothing in it. */
export const printPlain = (
  { events }: PlainHistory,
  room: RoomContext,
  { pageToken, stateName }: { readonly pageToken: (position: number) => string; readonly stateName: string },
): string[] | undefined => {
  const [first] = events
  if (first === undefined) return undefined
  const { view, requester, now } = room
  const audience = { requester, now, withRoomId: false }
  const printed = events.map((event) => printSeen(view, { event, membership: 'join' }, { audience, more: '' }))
  const before = JSON.stringify(pageToken((first.row.pos ?? 1) - 1))
  return [
    `"timeline":{"events":[${printed.join(',')}],"limited":false,"prev_batch":${before}}`,
    `${JSON.stringify(stateName)}:{"events":[]}`,
  ]
}

/** A message of which nothing must be said but what it says itself. */
function isPlain(event: LoadedEvent, state: number, { view, requester, ignored }: RoomContext): boolean {
  const { row } = event
  if (row.stateKey !== undefined || row.redactedBy !== undefined || row.stateBefore !== state) return false
  if (row.rejectedBy !== undefined || row.isSoftFailed || row.isOutlier || row.hasGapBefore) return false
  // By which transaction it was sent is looked up, once, for the sender.
  if (ignored.has(row.sender) || (row.sender === requester.user && event.transaction === undefined)) return false
  return view.isUnrelated(event)
}

/** Whether the client has the memberships of all who speak, so that none need be sent along. */
function knowsSenders({ events, state }: PlainHistory, { filter, requester, view }: RoomContext, sent: SentMembers) {
  const { lazyLoadMembers, includeRedundantMembers } = filter.filter.room.state
  if (lazyLoadMembers !== true) return true
  if (includeRedundantMembers === true) return false
  const known = sent.of(requester, view.room)
  return events.every(({ event: { sender } }) => {
    const n = known.get(sender)
    return n !== undefined && n === view.stateNumberAtHand(state, 'm.room.member', sender)
  })
}
