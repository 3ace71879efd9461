import assert from 'node:assert/strict'
import { setAccountData } from '#api/client/account-data.ts'
import { createRoom } from '#api/client/create-room.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, setState } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'

type Query = Readonly<Record<string, string>>
const look = (client: TestClient, query: Query = {}) => client.call(sync, { query })

const keep = (client: TestClient, type: string, body: JsonObject) =>
  client.call(setAccountData, { params: { userId: client.userId, type }, body })

eachHomeserver('messages and invites of an ignored user are not shown, state is', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob], { preset: 'trusted_private_chat' })
  const { next_batch: since } = await look(alice)
  await keep(alice, 'm.ignored_user_list', { ignored_users: { [bob.userId]: {}, '@nobody:else.org': {}, junk: {} } })
  await say(bob, roomId, 'unheard')
  await setState(bob, roomId, { type: 'm.room.name', content: { name: 'N' } })
  await say(alice, roomId, 'heard')
  const { room_id: invitedTo } = await bob.call(createRoom, { body: { invite: [alice.userId as UserId] } })
  const answer = await look(alice, { since })
  const shown = answer.rooms?.join?.[roomId]?.timeline?.events.map(({ type }) => type)
  assert.deepEqual(shown, ['m.room.name', 'm.room.message'])
  assert.equal(answer.rooms?.invite?.[invitedTo], undefined)
  await keep(alice, 'm.ignored_user_list', { ignored_users: {} })
  await say(bob, roomId, 'heard again')
  const later = await look(alice, { since: answer.next_batch })
  assert.equal(later.rooms?.join?.[roomId]?.timeline?.events.at(-1)?.content['body'], 'heard again')
})

eachHomeserver(
  'a user who was not known when they were listed is ignored from their first word',
  async ({ register }) => {
    const alice = await register('alice')
    for (const list of [5, null, [], { '@carol:example.org': {} }] as never[]) {
      await keep(alice, 'm.ignored_user_list', { ignored_users: list })
      await look(alice)
    }
    const { next_batch: since } = await look(alice)
    const carol = await register('carol')
    const roomId = await roomOf([carol])
    await carol.call(inviteUser, { params: { roomId }, body: { user_id: alice.userId as UserId } })
    assert.equal((await look(alice, { since })).rooms, undefined)
    await keep(alice, 'm.ignored_user_list', { ignored_users: { [alice.userId]: {} } })
    const own = await roomOf([alice])
    await say(alice, own, 'to myself')
    const room = (await look(alice, { since })).rooms?.join?.[own]
    assert.equal(room?.timeline?.events.at(-1)?.content['body'], 'to myself')
  },
)
