/** How many events, state keys and states a room can count: the n of each is below this. */
export const ROOM_SPAN = 2 ** 28

/** The key of the room's n-th event, state key or state in its table: rows of a room lie together. */
export const roomKey = (room: number, n: number): number => room * ROOM_SPAN + n
/** The room that a key belongs to. */
export const roomOf = (key: number): number => Math.floor(key / ROOM_SPAN)
/** The number within its room that a key stands for. */
export const numberInRoom = (key: number): number => key % ROOM_SPAN
