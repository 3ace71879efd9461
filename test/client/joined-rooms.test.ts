import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf } from '#test/helpers/rooms.ts'

eachHomeserver('a user is told the rooms that they are in, and no others', async ({ register, restart }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const rooms = async () => (await bob.call(getJoinedRooms)).joined_rooms.toSorted()
  assert.deepEqual(await rooms(), [])
  const one = await roomOf([alice, bob])
  const two = await roomOf([bob])
  const left = await roomOf([alice, bob])
  await roomOf([alice])
  await bob.call(leaveRoom, { params: { roomId: left } })
  const { room_id: invited } = await alice.call(createRoom, { body: { invite: [bob.userId as UserId] } })
  assert.deepEqual(await rooms(), [one, two].sort())
  await bob.call(joinRoomById, { params: { roomId: invited } })
  await restart()
  assert.deepEqual(await rooms(), [one, two, invited].sort())
})
