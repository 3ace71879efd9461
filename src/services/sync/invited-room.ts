import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { numberInRoom } from '#storage/room-key.ts'
import type { MembershipRow } from '#storage/stores/memberships.ts'

/** What somebody who is not in a room is told of it. https://spec.matrix.org/v1.19/client-server-api/#stripped-state */
export const STRIPPED_TYPES = [
  'm.room.create',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.canonical_alias',
  'm.room.encryption',
] as const

/** Prints a room for `invite` or `knock`. */
export const printStripped = async (
  view: RoomView,
  membership: MembershipRow,
  under: 'invite_state' | 'knock_state',
): Promise<string | undefined> => {
  const own = await view.event(numberInRoom(membership.event))
  if (own === undefined) return undefined
  const state = own.row.stateBefore ?? 0
  const events: LoadedEvent[] = []
  for (const type of STRIPPED_TYPES) {
    const event = await view.stateEvent(state, type, '')
    if (event !== undefined) events.push(event)
  }
  if (own.event.stateKey !== own.event.sender) {
    const inviter = await view.stateEvent(state, 'm.room.member', own.event.sender)
    if (inviter !== undefined) events.push(inviter)
  }
  const printed = [...events, own].map(({ event }) =>
    JSON.stringify({ type: event.type, state_key: event.stateKey, sender: event.sender, content: event.content }),
  )
  return `${JSON.stringify(view.roomId)}:{"${under}":{"events":[${printed.join(',')}]}}`
}
