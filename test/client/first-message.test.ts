import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { sync } from '#api/client/sync.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'

eachHomeserver('a message that one user sends wakes the sync of another', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const { room_id: roomId } = await alice.call(createRoom, {
    body: { preset: 'private_chat', invite: [bob.userId as never] },
  })
  const first = await bob.call(sync)
  assert.ok(first.rooms?.invite?.[roomId])
  await bob.call(joinRoomById, { params: { roomId } })
  const second = await bob.call(sync, { query: { since: first.next_batch } })
  const state = second.rooms?.join?.[roomId]
  assert.ok(state)
  const waiting = bob.call(sync, { query: { since: second.next_batch, timeout: '30000' } })
  const sent = await alice.call(sendMessage, {
    params: { roomId, eventType: 'm.room.message', txnId: 'first' },
    body: { msgtype: 'm.text', body: 'Hello, nerve' },
  })
  const woken = await waiting
  const events = woken.rooms?.join?.[roomId]?.timeline?.events ?? []
  assert.deepEqual(
    events.map(({ event_id, sender, content }) => [event_id, sender, content['body']]),
    [[sent.event_id, alice.userId, 'Hello, nerve']],
  )
})
