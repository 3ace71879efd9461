import assert from 'node:assert/strict'
import { Change, LOG_KIND } from '#storage/change.ts'
import { sql } from '#storage/sql.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import { changedRooms } from './log.ts'
import {
  MAIN_THREAD,
  type ReceiptRow,
  receiptMoved,
  receiptOf,
  receiptsMoved,
  receiptsOfRooms,
  receiptsOfUser,
  UNTHREADED,
} from './receipts.ts'
import { roomAdded } from './rooms.ts'
import { readUpTo, UNREAD_MARK, unreadMarkAdded, unreadMarksPassed } from './unread.ts'

const receipt = (more: Partial<ReceiptRow>): Change => {
  const change = new Change()
  const row = {
    room: 1,
    user: 1,
    type: 'm.read',
    thread: UNTHREADED,
    eventPos: 5,
    eventDepth: 5,
    ts: 9,
    ...more,
  } as const
  const pos = change.log({ kind: LOG_KIND.receipt, room: row.room })
  return change.write(receiptMoved, { eventId: `$${row.eventPos}-${row.eventDepth}`, ...row, pos })
}
const ROOM = {
  room: 1,
  roomId: '!r:x',
  version: '12',
  createdTs: 0,
  writeNumber: 0,
  nextEvent: 1,
  nextStateKey: 0,
  nextState: 1,
  currentState: 0,
  extremities: new Uint8Array(),
  isPartial: false,
}
const room = new Change().write(roomAdded, ROOM)
const key = { room: 1, user: 1, type: 'm.read', thread: UNTHREADED } as const
const eventIds = (rows: readonly ReceiptRow[]) => rows.map(({ eventId }) => eventId)

eachDatabase('a receipt moves forward and never back', async ({ db, commit }) => {
  for (const [eventPos, eventDepth, expected] of [
    [0, 2, '$0-2'],
    [0, 1, '$0-2'],
    [0, 3, '$0-3'],
    [5, 1, '$5-1'],
    [4, 9, '$5-1'],
    [7, 7, '$7-7'],
  ] as const) {
    assert.ok((await commit(receipt({ eventPos, eventDepth }))).ok)
    assert.equal((await receiptOf(db, key))?.eventId, expected)
  }
})

eachDatabase(
  'of two receipts of one user in one batch the later event wins, in whichever order they come',
  async (test) => {
    const { db, commit } = test
    await commit(room)
    await Promise.all([commit(receipt({ eventPos: 8 })), commit(receipt({ eventPos: 6 }))])
    assert.equal((await receiptOf(db, key))?.eventId, '$8-5')
    await Promise.all([
      commit(receipt({ eventPos: 10 })),
      commit(receipt({ eventPos: 12 })),
      commit(receipt({ eventPos: 11 })),
    ])
    const row = await receiptOf(db, key)
    assert.equal(row?.eventId, '$12-5')
    assert.deepEqual(await changedRooms(db, [1], (row?.pos ?? 0) - 1), new Set([1]))
  },
)

eachDatabase('a receipt that does not move leaves the log entry of the one that is there', async ({ db, commit }) => {
  await commit(room)
  await commit(receipt({ eventPos: 8 }))
  const pos = (await receiptOf(db, key))?.pos ?? 0
  await commit(receipt({ eventPos: 7 }))
  assert.equal((await receiptOf(db, key))?.pos, pos)
  assert.deepEqual(await changedRooms(db, [1], pos - 1), new Set([1]))
})

eachDatabase('receipts of other kinds, threads, users and rooms stand beside each other', async ({ db, commit }) => {
  const thread = '$root\0\udfff'
  await Promise.all(
    [
      {},
      { type: 'm.read.private', eventPos: 6 } as const,
      { thread: MAIN_THREAD, eventPos: 7 },
      { thread, eventPos: 8 },
      { user: 2, eventPos: 9 },
      { user: 2, type: 'm.read.private', eventPos: 10 } as const,
      { room: 2, eventPos: 11 },
    ].map((more) => commit(receipt(more))),
  )
  const moved = (viewer: number, more: { since?: number; upTo?: number; limit?: number } = {}) =>
    receiptsMoved(db, { room: 1, viewer, since: 0, upTo: 1_000_000, limit: 100, ...more })
  assert.deepEqual(eventIds(await moved(1)), ['$9-5', '$8-5', '$7-5', '$6-5', '$5-5'])
  assert.deepEqual(eventIds(await moved(2)), ['$10-5', '$9-5', '$8-5', '$7-5', '$5-5'])
  assert.deepEqual(eventIds(await moved(3, { limit: 2 })), ['$9-5', '$8-5'])
  const [last] = await moved(3)
  assert.deepEqual(await moved(3, { since: last?.pos ?? 0 }), [])
  assert.equal((await moved(3, { upTo: (last?.pos ?? 0) - 1 })).length, 3)
  assert.equal((await receiptOf(db, { ...key, thread }))?.thread, thread)
  assert.equal((await receiptsOfUser(db, { room: 1, user: 1, limit: 100 })).length, 4)
  assert.equal((await receiptsOfUser(db, { room: 1, user: 1, limit: 3 })).length, 3)
})

eachDatabase('the last receipts of each of several rooms are read at once', async ({ db, commit }) => {
  await commit(room)
  const other = new Change().write(roomAdded, { ...ROOM, room: 2, roomId: '!s:x' })
  await commit(other)
  await Promise.all(
    [
      { eventPos: 1 },
      { user: 2, type: 'm.read.private', eventPos: 2 } as const,
      { user: 3, eventPos: 3 },
      { user: 4, eventPos: 4 },
      { room: 2, eventPos: 5 },
    ].map((more) => commit(receipt(more))),
  )
  const of = async (viewer: number, limit: number, rooms = [1, 2, 9]) =>
    eventIds(await receiptsOfRooms(db, rooms, { viewer, upTo: 1_000_000, limit })).sort()
  assert.deepEqual(await of(1, 100), ['$1-5', '$3-5', '$4-5', '$5-5'])
  assert.deepEqual(await of(2, 100, [1]), ['$1-5', '$2-5', '$3-5', '$4-5'])
  assert.deepEqual(await of(1, 2), ['$3-5', '$4-5', '$5-5'])
  assert.deepEqual(await receiptsOfRooms(db, [1, 2], { viewer: 1, upTo: 0, limit: 5 }), [])
})

eachDatabase('a receipt passes the unread marks of its own thread, or of all', async ({ db, commit }) => {
  const change = new Change()
  const threads = [undefined, '$a', '$b', undefined]
  for (const thread of threads) {
    const pos = change.log({ kind: LOG_KIND.event, room: 1 })
    change.write(unreadMarkAdded, { user: 1, room: 1, pos, thread, notify: 1, highlight: 0 })
  }
  const outcome = await commit(change)
  const first = outcome.ok ? outcome.firstPosition : 0
  const left = async () => {
    const marks = await db.all(UNREAD_MARK, sql`SELECT ${UNREAD_MARK} FROM unread_marks WHERE "user" = ${1}`)
    return marks.map(({ pos }) => pos - first).sort()
  }
  const pass = (thread: string, upTo: number) =>
    commit(new Change().write(unreadMarksPassed, { user: 1, room: 1, thread, upTo: first + upTo }))
  await pass('$a', 0)
  assert.deepEqual(await left(), [0, 1, 2, 3])
  await pass('$a', 3)
  assert.deepEqual(await left(), [0, 2, 3])
  await Promise.all([pass(MAIN_THREAD, 1), pass(MAIN_THREAD, 0), pass('$b', 0)])
  assert.deepEqual(await left(), [2, 3])
  await Promise.all([pass(UNTHREADED, 2), pass(UNTHREADED, 1)])
  assert.deepEqual(await left(), [3])
})

eachDatabase('however many threads a user read, the room and its main timeline are not forgotten', async (test) => {
  const { db, commit } = test
  const threads = Array.from({ length: 1_100 }, (_, n) => ({ thread: `$${n}`, eventPos: 100 + n }))
  const main = { thread: MAIN_THREAD, eventPos: 60 }
  await Promise.all([{ thread: UNTHREADED, eventPos: 50 }, main, ...threads].map((more) => commit(receipt(more))))
  const read = await readUpTo(db, { room: 1, user: 1, since: 0 })
  const places = new Map(read.map(({ thread, eventPos }) => [thread, eventPos]))
  assert.equal(places.get(UNTHREADED), 50)
  assert.equal(places.get(MAIN_THREAD), 60)
  assert.equal(places.get('$1099'), 1_199)
  assert.deepEqual(await readUpTo(db, { room: 1, user: 1, since: 1_198 }), [
    { type: 'm.read', thread: '$1099', eventPos: 1_199 },
  ])
})
