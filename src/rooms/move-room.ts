import type { Change } from '#storage/change.ts'
import { roomMoved, roomUnchanged } from '#storage/stores/rooms.ts'
import { packNumbers } from '#util/varint.ts'
import type { ActiveRoom } from './active-room.ts'

/** Ends a change that was built on the head: the room's row moves along, provided nobody else wrote to the room meanwhile. */
export const moveRoom = (room: ActiveRoom, change: Change): void => {
  const { writeNumber } = room.head
  change.require(roomUnchanged, { room: room.room, writeNumber })
  room.head = { ...room.head, writeNumber: writeNumber + 1 }
  const { nextEvent, nextStateKey, nextState, currentState, extremities } = room.head
  change.write(roomMoved, {
    room: room.room,
    writeNumber: writeNumber + 1,
    nextEvent,
    nextStateKey,
    nextState,
    currentState,
    extremities: packNumbers(extremities.map(({ n }) => n)),
  })
}
