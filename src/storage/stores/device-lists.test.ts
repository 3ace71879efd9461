import assert from 'node:assert/strict'
import { Change, LOG_KIND } from '#storage/change.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  deviceListChanged,
  deviceListChanges,
  movesInRoom,
  roomsWithMoves,
  usersInRooms,
  usersSignedBy,
} from './device-lists.ts'
import { type MembershipName, membershipChanged } from './memberships.ts'
import { roomAdded } from './rooms.ts'

const changed = (user: number): Change => {
  const change = new Change()
  return change.write(deviceListChanged, { user, pos: change.log({ kind: LOG_KIND.deviceList, user }) })
}
const COUNT = row({ count: integer() })

eachDatabase('of the changes of a user the last one is kept, in the log too', async ({ db, commit }) => {
  await Promise.all([1, 2, 1, 3].map((user) => commit(changed(user))))
  await commit(changed(2))
  const all = await deviceListChanges(db, { since: 0, upTo: 1e9, limit: 10 })
  assert.deepEqual(
    all.map(({ user }) => user),
    [1, 3, 2],
  )
  const [first, second] = all
  assert.ok(first && second)
  const between = await deviceListChanges(db, { since: first.pos, upTo: second.pos, limit: 10 })
  assert.deepEqual(between, [second])
  assert.equal((await deviceListChanges(db, { since: 0, upTo: 1e9, limit: 2 })).length, 2)
  // One that was folded away before it was written may be left over.
  assert.ok(((await db.get(COUNT, sql`SELECT count(*) FROM log`))?.count ?? 0) <= 4)
})

eachDatabase('who came and went in which rooms is told by position', async ({ db, commit }) => {
  const moved = (room: number, user: number, membership: MembershipName) => {
    const change = new Change()
    const pos = change.log({ kind: LOG_KIND.membership, room, user })
    return change.write(membershipChanged, {
      room,
      user,
      membership,
      event: 1,
      pos,
      sincePos: pos,
      isForgotten: false,
    })
  }
  for (const room of [1, 2, 3]) {
    const added = {
      room,
      roomId: `!${room}:example.org`,
      version: '11',
      createdTs: 1,
      isPartial: false,
      writeNumber: 1,
      nextEvent: 1,
      nextStateKey: 1,
      nextState: 1,
      currentState: 0,
      extremities: new Uint8Array(),
    }
    await commit(new Change().write(roomAdded, added))
  }
  const at: number[] = []
  for (const one of [moved(1, 10, 'join'), moved(2, 10, 'join'), moved(1, 11, 'join'), moved(1, 11, 'leave')]) {
    const outcome = await commit(one)
    at.push(outcome.ok ? outcome.firstPosition : 0)
  }
  const [first = 0, second = 0, third = 0, fourth = 0] = at
  assert.deepEqual((await roomsWithMoves(db, [1, 2, 3], { since: first, upTo: third })).sort(), [1, 2])
  assert.deepEqual(await roomsWithMoves(db, [1, 2, 3], { since: second, upTo: fourth }), [1])
  assert.deepEqual(await movesInRoom(db, 1, { since: first, upTo: fourth, limit: 10 }), [
    { user: 11, pos: third },
    { user: 11, pos: fourth },
  ])
  assert.deepEqual(await usersInRooms(db, [10, 11, 12], [1, 2]), [10])
})

eachDatabase('whom somebody signed is told by position', async ({ db, commit }) => {
  const change = new Change()
  change.log({ kind: LOG_KIND.keySignature, user: 1, item: 5 })
  change.log({ kind: LOG_KIND.keySignature, user: 1, item: 5 })
  change.log({ kind: LOG_KIND.keySignature, user: 2, item: 6 })
  await commit(change)
  assert.deepEqual(await usersSignedBy(db, 1, { since: 0, upTo: 1e9, limit: 10 }), [5])
})
