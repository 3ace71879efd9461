import assert from 'node:assert/strict'
import { deleteRoomAlias, setRoomAlias } from '#api/client/directory.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { getOneRoomEvent, getRoomStateWithKey } from '#api/client/rooms.ts'
import type { RoomAlias, RoomId } from '#protocol/identifiers.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, setState } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'

const outcome = ({ status, errcode }: { readonly status: number; readonly errcode: string }) => `${status} ${errcode}`
const stateOf = (client: TestClient, roomId: string, eventType: string) =>
  client.call(getRoomStateWithKey, { params: { roomId, eventType, stateKey: '' } }) as Promise<JsonObject>
const refusedState = (client: TestClient, roomId: string, eventType: string, body: object, stateKey = '') =>
  client.refused(setRoomStateWithKey, { params: { roomId, eventType, stateKey }, body: body as never })

eachHomeserver('what would break a room is not sent', async ({ register }) => {
  const alice = await register('alice')
  for (const version of ['1', '11', '12']) {
    const roomId = await roomOf([alice], { room_version: version })
    const refused = async (type: string, content: object) => outcome(await refusedState(alice, roomId, type, content))
    assert.equal(await refused('m.room.create', {}), '403 M_FORBIDDEN')
    assert.equal(await refused('m.room.redaction', { redacts: '$x' }), '400 M_INVALID_PARAM')
    assert.equal(await refused('m.room.server_acl', { allow: ['*'], deny: ['example.*'] }), '400 M_INVALID_PARAM')
    await setState(alice, roomId, { type: 'm.room.server_acl', content: { allow: ['*'], deny: ['evil.example'] } })
    for (const eventType of ['m.room.create', 'm.room.member']) {
      const params = { roomId, eventType, txnId: TestClient.txn() }
      const message = await alice.refused(sendMessage, { params, body: { membership: 'join' } })
      assert.equal(outcome(message), '403 M_FORBIDDEN', eventType)
    }
  }
})

eachHomeserver('state that is so already is still only for members to set', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice, bob], { power_level_content_override: { state_default: 0 } })
  const state = { type: 'org.example.state', content: { a: 1 } }
  await setState(bob, roomId, state)
  await bob.call(leaveRoom, { params: { roomId } })
  assert.equal(outcome(await refusedState(bob, roomId, state.type, state.content)), '403 M_FORBIDDEN')
})

eachHomeserver('a reaction that is sent again is answered as before', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice, bob])
  const event_id = await say(alice, roomId, 'hi')
  const body = { 'm.relates_to': { rel_type: 'm.annotation', event_id, key: '👍' } }
  const params = { roomId, eventType: 'm.reaction', txnId: 'once' }
  const first = await bob.call(sendMessage, { params, body })
  assert.deepEqual(await bob.call(sendMessage, { params, body }), first)
  const other = await bob.refused(sendMessage, { params: { ...params, txnId: 'twice' }, body })
  assert.equal(outcome(other), '400 M_DUPLICATE_ANNOTATION')
  await bob.call(redactEvent, { params: { roomId, eventId: first.event_id, txnId: 'away' } })
  const again = await bob.call(sendMessage, { params: { ...params, txnId: 'thrice' }, body })
  assert.notEqual(again.event_id, first.event_id)
  await bob.call(leaveRoom, { params: { roomId } })
  assert.equal(
    outcome(await bob.refused(sendMessage, { params: { ...params, txnId: 'out' }, body })),
    '403 M_FORBIDDEN',
  )
})

eachHomeserver('who may redact what is the same in every room version', async ({ register }) => {
  const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')]
  const admin = await register('admin', { admin: true })
  for (const version of roomVersions) {
    const roomId = await roomOf([alice, bob, carol, admin], { preset: 'public_chat', room_version: version })
    const redact = (eventId: string) => ({
      params: { roomId, eventId, txnId: TestClient.txn() },
      body: { reason: 'r' },
    })
    const content = async (eventId: string) =>
      (await alice.call(getOneRoomEvent, { params: { roomId, eventId } })).content
    const [own, moderated, administered] = [
      await say(bob, roomId, '1'),
      await say(bob, roomId, '2'),
      await say(bob, roomId, '3'),
    ]
    assert.equal(outcome(await carol.refused(redactEvent, redact(own))), '403 M_FORBIDDEN')
    assert.deepEqual(await content(own), { msgtype: 'm.text', body: '1' })
    for (const [who, eventId] of [
      [bob, own],
      [alice, moderated],
      [admin, administered],
    ] as const) {
      await who.call(redactEvent, redact(eventId))
      assert.deepEqual(await content(eventId), {}, version)
    }
    const format = { query: { format: 'event' } } as const
    await setState(alice, roomId, { type: 'm.room.server_acl', content: { allow: ['*'] } })
    for (const eventType of ['m.room.create', 'm.room.server_acl']) {
      const event = await alice.call(getRoomStateWithKey, { params: { roomId, eventType, stateKey: '' }, ...format })
      const refused = await alice.refused(redactEvent, redact(String(event['event_id'])))
      assert.equal(outcome(refused), '403 M_FORBIDDEN', `${version} ${eventType}`)
    }
    await say(carol, roomId, 'the room goes on')
  }
})

eachHomeserver(
  'a removed alias is struck from what the room says of itself, if its remover may',
  async ({ register }) => {
    const [alice, bob] = [await register('alice'), await register('bob')]
    const roomId = await roomOf([alice], { preset: 'public_chat' })
    await bob.call(joinRoomById, { params: { roomId } })
    const [main, other, third] = ['#main:example.org', '#other:example.org', '#third:example.org'] as RoomAlias[]
    const body = { room_id: roomId as RoomId }
    for (const roomAlias of [main, other])
      await alice.call(setRoomAlias, { params: { roomAlias: roomAlias ?? '' }, body })
    await bob.call(setRoomAlias, { params: { roomAlias: third ?? '' }, body })
    const type = 'm.room.canonical_alias'
    const wide = { alias: main, alt_aliases: [other, third], note: 'kept' } as JsonObject
    await setState(alice, roomId, { type, content: wide })
    await bob.call(deleteRoomAlias, { params: { roomAlias: third ?? '' } })
    assert.deepEqual(await stateOf(alice, roomId, type), wide)
    await alice.call(deleteRoomAlias, { params: { roomAlias: other ?? '' } })
    assert.deepEqual(await stateOf(alice, roomId, type), { alias: main, alt_aliases: [third], note: 'kept' })
    await alice.call(deleteRoomAlias, { params: { roomAlias: main ?? '' } })
    assert.deepEqual(await stateOf(alice, roomId, type), { alt_aliases: [third], note: 'kept' })
    const many = Array.from({ length: 101 }, (_, n) => `#a${n}:example.org`)
    assert.equal(outcome(await refusedState(alice, roomId, type, { alt_aliases: many })), '400 M_INVALID_PARAM')
    assert.equal(outcome(await refusedState(alice, roomId, type, { alt_aliases: [main] })), '400 M_BAD_ALIAS')
    assert.equal(outcome(await refusedState(alice, roomId, type, { alias: 'main' })), '400 M_INVALID_PARAM')
    assert.equal(outcome(await refusedState(alice, roomId, type, { alt_aliases: 'main' })), '400 M_BAD_JSON')
  },
)
