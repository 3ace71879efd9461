import assert from 'node:assert/strict'
import { ban, unban } from '#api/client/banning.ts'
import { createRoom } from '#api/client/create-room.ts'
import { deleteRoomAlias, getLocalAliases, getRoomIdByAlias, setRoomAlias } from '#api/client/directory.ts'
import { getEventContext } from '#api/client/event-context.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoom, joinRoomById } from '#api/client/joining.ts'
import { kick } from '#api/client/kicking.ts'
import { forgetRoom, leaveRoom } from '#api/client/leaving.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import {
  getJoinedMembersByRoom,
  getMembersByRoom,
  getOneRoomEvent,
  getRoomState,
  getRoomStateWithKey,
} from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import type { RoomAlias, RoomId, UserId } from '#protocol/identifiers.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { history, roomOf, say, send, setState } from '#test/helpers/rooms.ts'

eachHomeserver('a room can be made in every version, with every preset, and used', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  for (const version of roomVersions) {
    for (const preset of ['private_chat', 'trusted_private_chat', 'public_chat']) {
      const roomId = await roomOf([alice, bob], {
        room_version: version,
        preset,
        name: `${version} ${preset}`,
        topic: 'T',
      })
      assert.match(roomId, version === '12' ? /^![A-Za-z0-9_-]{43}$/ : /^![A-Za-z]{18}:example\.org$/)
      const eventId = await say(bob, roomId, 'hi')
      const event = await alice.call(getOneRoomEvent, { params: { roomId, eventId } })
      assert.equal(event.content['body'], 'hi')
      const create = await alice.call(getRoomStateWithKey, {
        params: { roomId, eventType: 'm.room.create', stateKey: '' },
      })
      assert.equal((create as Record<string, unknown>)['room_version'], version)
      const levels = (await alice.call(getRoomStateWithKey, {
        params: { roomId, eventType: 'm.room.power_levels', stateKey: '' },
      })) as { users: Record<string, number> }
      assert.equal(levels.users[alice.userId], version === '12' ? undefined : 100)
      const bobsPower = version === '12' ? undefined : preset === 'trusted_private_chat' ? 100 : undefined
      assert.equal(levels.users[bob.userId], bobsPower)
    }
  }
})

eachHomeserver('what a client wishes of a new room is there from its first day', async ({ register }) => {
  const alice = await register('alice')
  const { room_id: roomId } = await alice.call(createRoom, {
    body: {
      room_alias_name: 'nerve',
      visibility: 'public',
      creation_content: { 'm.federate': false, type: 'm.space' },
      initial_state: [
        { type: 'm.room.history_visibility', state_key: '', content: { history_visibility: 'world_readable' } },
        { type: 'org.example.thing', state_key: 'k', content: { a: 1 } },
      ],
      power_level_content_override: { events_default: 10 },
    },
  })
  const state = await alice.call(getRoomState, { params: { roomId } })
  const of = (type: string, key = '') => state.find((event) => event.type === type && event.state_key === key)?.content
  assert.deepEqual(of('m.room.canonical_alias'), { alias: '#nerve:example.org' })
  assert.deepEqual(of('m.room.history_visibility'), { history_visibility: 'world_readable' })
  assert.deepEqual(of('m.room.join_rules'), { join_rule: 'public' })
  assert.deepEqual(of('org.example.thing', 'k'), { a: 1 })
  assert.equal(of('m.room.create')?.['type'], 'm.space')
  assert.equal(of('m.room.power_levels')?.['events_default'], 10)
  const again = await alice.refused(createRoom, { body: { room_alias_name: 'nerve' } })
  assert.deepEqual([again.status, again.errcode], [400, 'M_ROOM_IN_USE'])
  const unknown = await alice.refused(createRoom, { body: { room_version: '99' } })
  assert.deepEqual([unknown.status, unknown.errcode], [400, 'M_UNSUPPORTED_ROOM_VERSION'])
  assert.deepEqual(
    (await alice.refused(createRoom, { body: { initial_state: [{ type: 'x', content: { f: 1.5 } }] } as never }))
      .errcode,
    'M_BAD_JSON',
  )
})

eachHomeserver('an alias names a room until who may removes it', async ({ register, stranger }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice], { preset: 'public_chat' })
  const roomAlias = '#tea/time#:example.org'
  const set = { params: { roomAlias }, body: { room_id: roomId as RoomId } }
  assert.equal((await bob.refused(setRoomAlias, set)).errcode, 'M_FORBIDDEN')
  await alice.call(setRoomAlias, set)
  assert.equal((await alice.refused(setRoomAlias, set)).status, 409)
  assert.equal((await stranger().call(getRoomIdByAlias, { params: { roomAlias } })).room_id, roomId)
  assert.deepEqual((await alice.call(getLocalAliases, { params: { roomId } })).aliases, [roomAlias])
  assert.equal((await bob.call(joinRoom, { params: { roomIdOrAlias: roomAlias } })).room_id, roomId)
  const canonical = { type: 'm.room.canonical_alias', content: { alias: '#nobody:example.org' } }
  await assert.rejects(setState(alice, roomId, canonical), /M_BAD_ALIAS/)
  await setState(alice, roomId, { type: 'm.room.canonical_alias', content: { alias: roomAlias } })
  assert.equal((await bob.refused(deleteRoomAlias, { params: { roomAlias } })).errcode, 'M_FORBIDDEN')
  await alice.call(deleteRoomAlias, { params: { roomAlias } })
  assert.equal((await stranger().refused(getRoomIdByAlias, { params: { roomAlias } })).errcode, 'M_NOT_FOUND')
  const raced = await Promise.allSettled(
    [1, 2, 3].map(() =>
      alice.call(setRoomAlias, {
        params: { roomAlias: '#race:example.org' as RoomAlias },
        body: { room_id: roomId as RoomId },
      }),
    ),
  )
  assert.equal(raced.filter(({ status }) => status === 'fulfilled').length, 1)
})

eachHomeserver('members come and go by the rules', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const carol = await register('carol')
  const roomId = await roomOf([alice])
  const params = { roomId }
  const target = { user_id: bob.userId as UserId }
  assert.equal((await bob.refused(joinRoomById, { params })).errcode, 'M_FORBIDDEN')
  assert.equal((await carol.refused(inviteUser, { params, body: target })).errcode, 'M_FORBIDDEN')
  await alice.call(inviteUser, { params, body: { ...target, reason: 'come' } })
  const invited = await bob.call(sync)
  assert.ok(invited.rooms?.invite?.[roomId]?.invite_state?.events?.some(({ type }) => type === 'm.room.create'))
  await bob.call(joinRoomById, { params })
  await bob.call(joinRoomById, { params })
  assert.equal((await bob.refused(kick, { params, body: { user_id: alice.userId as UserId } })).errcode, 'M_FORBIDDEN')
  await alice.call(kick, { params, body: { ...target, reason: 'go' } })
  assert.equal((await alice.refused(kick, { params, body: target })).errcode, 'M_FORBIDDEN')
  await alice.call(ban, { params, body: target })
  assert.equal((await alice.refused(inviteUser, { params, body: target })).errcode, 'M_FORBIDDEN')
  await alice.call(unban, { params, body: target })
  assert.equal((await alice.refused(unban, { params, body: target })).errcode, 'M_BAD_STATE')
  await alice.call(inviteUser, { params, body: target })
  await bob.call(leaveRoom, { params })
  await bob.call(leaveRoom, { params })
  assert.equal((await alice.refused(forgetRoom, { params })).status, 400)
  await bob.call(forgetRoom, { params })
  assert.equal((await bob.refused(getRoomState, { params })).errcode, 'M_FORBIDDEN')
  const members = await alice.call(getMembersByRoom, { params, query: { membership: 'leave' } })
  assert.deepEqual(
    members.chunk?.map(({ state_key }) => state_key),
    [bob.userId],
  )
  assert.deepEqual(Object.keys((await alice.call(getJoinedMembersByRoom, { params })).joined ?? {}), [alice.userId])
  assert.equal((await bob.refused(getJoinedMembersByRoom, { params })).errcode, 'M_FORBIDDEN')
})

eachHomeserver('a member of an allowed room joins a restricted one without an invitation', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const club = await roomOf([alice, bob])
  for (const version of ['8', '9', '10', '11', '12']) {
    const roomId = await roomOf([alice], {
      room_version: version,
      initial_state: [
        {
          type: 'm.room.join_rules',
          content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: club }] },
        },
      ],
    })
    await bob.call(joinRoomById, { params: { roomId } })
    const own = await bob.call(getRoomStateWithKey, {
      params: { roomId, eventType: 'm.room.member', stateKey: bob.userId },
    })
    assert.equal((own as Record<string, unknown>)['join_authorised_via_users_server'], alice.userId)
  }
  const carol = await register('carol')
  const closed = await roomOf([alice], {
    initial_state: [
      {
        type: 'm.room.join_rules',
        content: { join_rule: 'restricted', allow: [{ type: 'm.room_membership', room_id: club }] },
      },
    ],
  })
  assert.equal((await carol.refused(joinRoomById, { params: { roomId: closed } })).errcode, 'M_FORBIDDEN')
})

eachHomeserver(
  'one transaction ID has one effect, even when it is asked for at once and after a restart',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const roomId = await roomOf([alice])
    const params = { roomId, eventType: 'm.room.message', txnId: 'same' }
    const body = { msgtype: 'm.text', body: 'once' }
    const answers = await Promise.all(Array.from({ length: 8 }, () => alice.call(sendMessage, { params, body })))
    await homeserver.restart()
    answers.push(await alice.call(sendMessage, { params, body }))
    assert.equal(new Set(answers.map(({ event_id }) => event_id)).size, 1)
    assert.equal((await history(alice, roomId)).filter((id) => id === answers[0]?.event_id).length, 1)
    const seen = await alice.call(sync)
    const own = seen.rooms?.join?.[roomId]?.timeline?.events.at(-1)
    assert.equal(own?.unsigned?.transaction_id, 'same')
  },
)

eachHomeserver('a redacted event shows what is left of it and who redacted it', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  for (const version of ['1', '6', '11', '12']) {
    const roomId = await roomOf([alice, bob], { room_version: version })
    const secret = await say(bob, roomId, 'secret')
    const alices = await say(alice, roomId, 'mine')
    const redact = (client: TestClient, eventId: string) =>
      client.call(redactEvent, { params: { roomId, eventId, txnId: TestClient.txn() }, body: { reason: 'why' } })
    await assert.rejects(redact(bob, alices), /M_FORBIDDEN/)
    await assert.rejects(redact(bob, '$nothing'), /M_NOT_FOUND/)
    const { event_id: redaction } = await redact(alice, secret)
    const event = await bob.call(getOneRoomEvent, { params: { roomId, eventId: secret } })
    assert.deepEqual(event.content, {})
    const because = event.unsigned?.redacted_because as Record<string, unknown>
    assert.equal(because['event_id'], redaction)
    assert.deepEqual(because['content'], { reason: 'why', redacts: secret })
    assert.equal(because['redacts'], secret)
    const byPlainSend = await say(alice, roomId, 'again')
    await send(alice, roomId, 'm.room.redaction', { redacts: byPlainSend })
    assert.deepEqual((await alice.call(getOneRoomEvent, { params: { roomId, eventId: byPlainSend } })).content, {})
  }
})

eachHomeserver('state that is so already is not set again', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const name = { type: 'm.room.name', content: { name: 'N' } }
  const first = await setState(alice, roomId, name)
  assert.equal(await setState(alice, roomId, name), first)
  assert.notEqual(await setState(alice, roomId, { ...name, content: { name: 'M' } }), first)
  const params = { roomId, eventType: 'm.room.name', stateKey: '' }
  const whole = await alice.call(getRoomStateWithKey, { params, query: { format: 'event' } })
  assert.equal((whole as { type: string }).type, 'm.room.name')
  const at = '/_matrix/client/v3/rooms/{roomId}/state/{eventType}'
  assert.deepEqual(await alice.call(getRoomStateWithKey, { params, at }), { name: 'M' })
  const missing = await alice.refused(getRoomStateWithKey, { params: { ...params, stateKey: 'no' } })
  assert.equal(missing.errcode, 'M_NOT_FOUND')
  assert.equal((await alice.refused(setRoomStateWithKey, { params, raw: '{"a": 1.5}' })).errcode, 'M_BAD_JSON')
  assert.equal((await alice.refused(setRoomStateWithKey, { params, raw: '{"a": 1' })).errcode, 'M_NOT_JSON')
  assert.equal((await alice.refused(setRoomStateWithKey, { params, raw: '[]' })).errcode, 'M_BAD_JSON')
})

eachHomeserver('context gives what was before and after an event, and pages on from there', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const ids: string[] = []
  for (let n = 0; n < 11; n++) ids.push(await say(alice, roomId, String(n)))
  const context = await alice.call(getEventContext, {
    params: { roomId, eventId: ids[5] as string },
    query: { limit: '4' },
  })
  assert.deepEqual(
    context.events_before?.map(({ event_id }) => event_id),
    [ids[4], ids[3]],
  )
  assert.deepEqual(
    context.events_after?.map(({ event_id }) => event_id),
    [ids[6], ids[7]],
  )
  const page = async (dir: string, from: string | undefined) =>
    (await alice.call(getRoomEvents, { params: { roomId }, query: { dir, from: from ?? '', limit: '3' } })).chunk.map(
      ({ event_id }) => event_id,
    )
  assert.deepEqual(await page('b', context.start), [ids[2], ids[1], ids[0]])
  assert.deepEqual(await page('f', context.end), [ids[8], ids[9], ids[10]])
})

eachHomeserver('whoever left sees the room as it was then, and nothing after', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  await setState(alice, roomId, { type: 'm.room.name', content: { name: 'before' } })
  const before = await say(alice, roomId, 'before')
  await bob.call(leaveRoom, { params: { roomId } })
  await setState(alice, roomId, { type: 'm.room.name', content: { name: 'after' } })
  const after = await say(alice, roomId, 'after')
  const name = await bob.call(getRoomStateWithKey, { params: { roomId, eventType: 'm.room.name', stateKey: '' } })
  assert.deepEqual(name, { name: 'before' })
  const seen = await history(bob, roomId)
  assert.ok(seen.includes(before))
  assert.ok(!seen.includes(after))
  assert.equal((await bob.refused(getOneRoomEvent, { params: { roomId, eventId: after } })).errcode, 'M_NOT_FOUND')
  assert.equal(
    (await bob.refused(sendMessage, { params: { roomId, eventType: 'a', txnId: 'b' }, body: {} })).errcode,
    'M_FORBIDDEN',
  )
})
