import assert from 'node:assert/strict'
import { ban } from '#api/client/banning.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, setState } from '#test/helpers/rooms.ts'

type Query = Readonly<Record<string, string>>

const look = (client: TestClient, query: Query = {}) => client.call(sync, { query })
const withLeft = { filter: JSON.stringify({ room: { include_leave: true } }) }

eachHomeserver('a room that the user left is shown once, and on wish in first syncs', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const { next_batch: since } = await look(bob)
  await bob.call(leaveRoom, { params: { roomId } })
  await say(alice, roomId, 'after')
  const told = await look(bob, { since })
  const left = told.rooms?.leave?.[roomId]
  assert.deepEqual(
    left?.timeline?.events.map(({ type }) => type),
    ['m.room.member'],
  )
  assert.equal((await look(bob, { since: told.next_batch })).rooms, undefined)
  assert.equal((await look(bob)).rooms?.leave, undefined)
  const wished = await look(bob, withLeft)
  assert.ok(wished.rooms?.leave?.[roomId])
})

eachHomeserver('whoever declines an invitation is told that and nothing else of the room', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice], { name: 'for those within', preset: 'private_chat' })
  await alice.call(inviteUser, { params: { roomId }, body: { user_id: bob.userId as UserId } })
  const { next_batch: since } = await look(bob)
  await setState(alice, roomId, { type: 'm.room.topic', content: { topic: 'not for Bob' } })
  await bob.call(leaveRoom, { params: { roomId } })
  for (const query of [withLeft, { since }]) {
    const room = (await look(bob, query)).rooms?.leave?.[roomId]
    assert.deepEqual(room?.state?.events, [])
    assert.deepEqual(
      room?.timeline?.events.map(({ type, content }) => [type, content['membership']]),
      [['m.room.member', 'leave']],
    )
  }
})

eachHomeserver('whoever is banned after they left sees the room as they left it, and the ban', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice, bob], { topic: 'before' })
  await bob.call(leaveRoom, { params: { roomId } })
  const { next_batch: since } = await look(bob)
  await setState(alice, roomId, { type: 'm.room.topic', content: { topic: 'after' } })
  await say(alice, roomId, 'after')
  await alice.call(ban, { params: { roomId }, body: { user_id: bob.userId as UserId } })
  const whole = (await look(bob, withLeft)).rooms?.leave?.[roomId]
  const all = [...(whole?.state?.events ?? []), ...(whole?.timeline?.events ?? [])]
  assert.deepEqual(
    all.flatMap(({ content }) => content['topic'] ?? []),
    ['before'],
  )
  assert.equal(all.at(-1)?.content['membership'], 'ban')
  const told = (await look(bob, { since })).rooms?.leave?.[roomId]
  assert.deepEqual(told?.state?.events, [])
  assert.deepEqual(
    told?.timeline?.events.map(({ content }) => content['membership']),
    ['ban'],
  )
})
