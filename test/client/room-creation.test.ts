import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { getRoomIdByAlias } from '#api/client/directory.ts'
import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'

eachHomeserver('the first events of a room come in the order of the specification', async ({ register }) => {
  const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')]
  const { room_id: roomId } = await alice.call(createRoom, {
    body: {
      preset: 'trusted_private_chat',
      room_alias_name: 'nerve',
      name: 'Name',
      topic: 'Topic',
      is_direct: true,
      invite: [bob.userId, bob.userId],
      creation_content: { additional_creators: [carol.userId, bob.userId], creator: 'x', room_version: '1' },
      initial_state: [
        { type: 'm.room.join_rules', content: { join_rule: 'knock' } },
        { type: 'org.example.thing', state_key: 'k', content: { n: 1 } },
        { type: 'm.room.name', content: { name: 'Overwritten' } },
      ],
    } as never,
  })
  const { chunk } = await alice.call(getRoomEvents, { params: { roomId }, query: { dir: 'f', limit: '50' } })
  const told = chunk.map(({ type, state_key, content }) => [type, state_key, content] as const)
  assert.deepEqual(
    told.map(([type, key]) => [type, key].join(' ').trim()),
    [
      'm.room.create',
      `m.room.member ${alice.userId}`,
      'm.room.power_levels',
      'm.room.canonical_alias',
      'm.room.history_visibility',
      'm.room.guest_access',
      'm.room.join_rules',
      'org.example.thing k',
      'm.room.name',
      'm.room.name',
      'm.room.topic',
      `m.room.member ${bob.userId}`,
    ],
  )
  assert.deepEqual(told[0]?.[2], { room_version: '12', additional_creators: [carol.userId, bob.userId] })
  assert.deepEqual(told[9]?.[2], { name: 'Name' })
  assert.deepEqual(told[10]?.[2], { topic: 'Topic', 'm.topic': { 'm.text': [{ body: 'Topic' }] } })
  assert.deepEqual(told[11]?.[2], { displayname: 'bob', is_direct: true, membership: 'invite' })
  const levels = told[2]?.[2] as { users: object; events: Record<string, number>; state_default: number }
  assert.deepEqual(levels.users, {})
  assert.ok((levels.events['m.room.tombstone'] ?? 0) > levels.state_default)
})

eachHomeserver('a room that cannot be is refused with its reason, and nothing of it is left', async ({ register }) => {
  const alice = await register('alice')
  const users = (room_version: string, levels: object) => ({
    room_version,
    room_alias_name: 'taken',
    power_level_content_override: { users: levels },
  })
  const refusals: readonly (readonly [string, Record<string, unknown>])[] = [
    ['M_BAD_JSON', { preset: 'secret_chat' }],
    ['M_BAD_JSON', { visibility: 5 }],
    ['M_BAD_JSON', { room_version: 1 }],
    ['M_UNSUPPORTED_ROOM_VERSION', { room_version: 'one' }],
    ['M_BAD_JSON', { initial_state: [{ type: 'x', state_key: 5, content: {} }] }],
    ['M_BAD_JSON', { initial_state: [{ type: 'm.room.power_levels', content: { ban: '50' } }] }],
    ['M_BAD_JSON', { power_level_content_override: { events: [] } }],
    ['M_BAD_JSON', { creation_content: { additional_creators: ['nobody'] } }],
    ['M_BAD_JSON', { preset: 'trusted_private_chat', creation_content: { additional_creators: 'nobody' } }],
    ['M_INVALID_PARAM', { invite: ['nobody'] }],
    ['M_INVALID_PARAM', { initial_state: [{ type: 'm.room.member', content: { membership: 'invite' } }] }],
    ['M_INVALID_PARAM', { room_alias_name: 'a:b' }],
    ['M_INVALID_ROOM_STATE', users('12', { [alice.userId]: 100 })],
    ['M_INVALID_ROOM_STATE', users('11', {})],
    [
      'M_INVALID_ROOM_STATE',
      { name: 'N', power_level_content_override: { events: { 'm.room.name': 101 } }, room_version: '10' },
    ],
    ['M_INVALID_ROOM_STATE', { initial_state: [{ type: 'm.room.create', content: {} }] }],
    ['M_INVALID_ROOM_STATE', { invite: [alice.userId] }],
    [
      'M_SERVER_NOT_TRUSTED',
      { invite_3pid: [{ id_server: 'id.example', id_access_token: 't', medium: 'email', address: 'a@example.org' }] },
    ],
  ]
  for (const [errcode, body] of refusals) {
    const refused = await alice.refused(createRoom, { body: body as never })
    assert.deepEqual([refused.status, refused.errcode], [400, errcode], JSON.stringify(body))
  }
  assert.deepEqual((await alice.call(getJoinedRooms)).joined_rooms, [])
  const roomAlias = '#taken:example.org'
  assert.equal((await alice.refused(getRoomIdByAlias, { params: { roomAlias } })).errcode, 'M_NOT_FOUND')
})
