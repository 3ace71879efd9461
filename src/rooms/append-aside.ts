import type { Change } from '#storage/change.ts'
import type { ActiveRoom } from './active-room.ts'
import { keyNumber, type NewEvent, rowOnHead, writeEvent } from './append.ts'
import type { LoadedEvent } from './loaded-event.ts'

/**
 * Keeps an event that was built on the room's head without letting it count: soft-failed, it arrives nowhere, changes no state and nothing is
 * built on it. The caller holds the room's queue and ends the change with `moveRoom`.
 * https://spec.matrix.org/v1.19/server-server-api/#soft-failure
 */
export const appendAside = async (room: ActiveRoom, change: Change, added: NewEvent): Promise<LoadedEvent> => {
  const { head } = room
  const n = head.nextEvent
  room.head = { ...head, nextEvent: n + 1 }
  const stateKey = added.event.stateKey === undefined ? undefined : await keyNumber(room, change, added.event)
  const row = { ...rowOnHead({ room: room.room, head }, added), stateKey, isSoftFailed: true }
  return writeEvent(room, change, row, added)
}
