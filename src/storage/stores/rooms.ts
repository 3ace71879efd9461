import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, bytes, integer, row, text } from '#storage/row.ts'
import { oneOf, sql, textValue } from '#storage/sql.ts'

/** A room: who it is, its next free numbers, and where it stands. */
export const ROOM = row({
  room: integer(),
  roomId: text(),
  version: text(),
  createdTs: integer(),
  writeNumber: integer(),
  nextEvent: integer(),
  nextStateKey: integer(),
  nextState: integer(),
  currentState: integer(),
  extremities: bytes(),
  isPartial: boolean(),
})
export type RoomRow = (typeof ROOM)['out']

const scope = ({ room }: { readonly room: number }) => `room:${room}`

const scopeOfId = ({ roomId }: { readonly roomId: string }) => `room id:${roomId}`

/** A room comes to be. */
export const roomAdded = operation('room_added', {
  row: ROOM,
  statement: { insert: 'rooms' },
  scope: scopeOfId,
  fold: 'next batch',
})

/** No room has that ID yet. */
export const roomIdFree = condition('room_id_free', {
  row: row({ roomId: text() }),
  holds: 'NOT EXISTS (SELECT 1 FROM rooms WHERE room_id = :room_id)',
  scope: scopeOfId,
})

/** Where a room stands after a change of it. The last change of a batch stands for all of them. */
export const roomMoved = operation('room_moved', {
  row: row({
    room: integer(),
    writeNumber: integer(),
    nextEvent: integer(),
    nextStateKey: integer(),
    nextState: integer(),
    currentState: integer(),
    extremities: bytes(),
  }),
  statement: {
    update: 'rooms',
    set: `write_number = :write_number, next_event = :next_event, next_state_key = :next_state_key,
      next_state = :next_state, current_state = :current_state, extremities = :extremities`,
    where: 't.room = :room',
  },
  scope,
  fold: 'last wins',
})

/** Nobody wrote to the room since: the fence that keeps out what was made from older knowledge. */
export const roomUnchanged = condition('room_unchanged', {
  row: row({ room: integer(), writeNumber: integer() }),
  holds: 'EXISTS (SELECT 1 FROM rooms WHERE room = :room AND write_number = :write_number)',
  scope: ({ room }) => `room unchanged:${room}`,
})

/** The room of that ID, or `undefined`. */
export const roomById = (db: Reader, roomId: string): Promise<RoomRow | undefined> =>
  db.get(ROOM, sql`SELECT ${ROOM} FROM rooms WHERE room_id = ${textValue(roomId)}`)

/** The room of that number, or `undefined`. */
export const roomByNumber = (db: Reader, room: number): Promise<RoomRow | undefined> =>
  db.get(ROOM, sql`SELECT ${ROOM} FROM rooms WHERE room = ${room}`)

const ROOM_NAME = row({ room: integer(), roomId: text() })
/** The IDs of rooms by their numbers. */
export const roomIds = (db: Reader, rooms: Iterable<number>): Promise<(typeof ROOM_NAME)['out'][]> =>
  db.all(ROOM_NAME, sql`SELECT ${ROOM_NAME} FROM rooms WHERE room ${oneOf(rooms)}`)
