import assert from 'node:assert/strict'
import { ban, unban } from '#api/client/banning.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { kick } from '#api/client/kicking.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { getRoomStateWithKey } from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { history, roomOf, setState } from '#test/helpers/rooms.ts'

const outcome = ({ status, errcode }: { readonly status: number; readonly errcode: string }) => `${status} ${errcode}`
const whom = ({ userId }: TestClient) => ({ user_id: userId as UserId })
const membershipOf = (client: TestClient, roomId: string, { userId }: TestClient) =>
  client.call(getRoomStateWithKey, {
    params: { roomId, eventType: 'm.room.member', stateKey: userId },
  }) as Promise<Record<string, unknown>>

eachHomeserver('what cannot be done to a member says why, and strangers learn nothing', async ({ register }) => {
  const [alice, bob, carol, dave] = [
    await register('alice'),
    await register('bob'),
    await register('carol'),
    await register('dave'),
  ]
  const roomId = await roomOf([alice, bob])
  const params = { roomId }
  await alice.call(ban, { params, body: { ...whom(carol), reason: 'noise' } })
  assert.deepEqual(await membershipOf(alice, roomId, carol), { membership: 'ban', reason: 'noise' })
  const refusals = [
    ['403 M_BAD_STATE', alice.refused(unban, { params, body: whom(bob) })],
    ['403 M_FORBIDDEN', bob.refused(unban, { params, body: whom(carol) })],
    ['403 M_FORBIDDEN', bob.refused(ban, { params, body: whom(carol) })],
    ['403 M_FORBIDDEN', alice.refused(inviteUser, { params, body: whom(carol) })],
    ['403 M_FORBIDDEN', alice.refused(inviteUser, { params, body: whom(bob) })],
    ['403 M_FORBIDDEN', alice.refused(kick, { params, body: whom(dave) })],
    ['403 M_FORBIDDEN', alice.refused(kick, { params, body: whom(carol) })],
    ['403 M_FORBIDDEN', carol.refused(joinRoomById, { params })],
    ['403 M_FORBIDDEN', dave.refused(joinRoomById, { params })],
    ['403 M_FORBIDDEN', dave.refused(leaveRoom, { params })],
    ...[kick, ban, unban, inviteUser].flatMap((endpoint) =>
      [bob, carol].map(
        (target) => ['403 M_FORBIDDEN', dave.refused(endpoint, { params, body: whom(target) })] as const,
      ),
    ),
  ] as const
  for (const [expected, refused] of refusals) assert.equal(outcome(await refused), expected)
  await alice.call(unban, { params, body: { ...whom(carol), reason: 'quiet' } })
  assert.deepEqual(await membershipOf(alice, roomId, carol), { membership: 'leave', reason: 'quiet' })
})

eachHomeserver('what is so already is not said again', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice])
  const params = { roomId }
  const body = { ...whom(bob), reason: 'come' }
  const grows = async (act: () => Promise<unknown>) => {
    const before = (await history(alice, roomId)).length
    await act()
    return (await history(alice, roomId)).length - before
  }
  assert.equal(await grows(() => alice.call(inviteUser, { params, body })), 1)
  assert.equal(await grows(() => alice.call(inviteUser, { params, body })), 0)
  assert.equal(await grows(() => alice.call(inviteUser, { params, body: whom(bob) })), 1)
  assert.equal(await grows(() => bob.call(joinRoomById, { params })), 1)
  assert.equal(await grows(() => bob.call(joinRoomById, { params })), 0)
  const join = { type: 'm.room.member', stateKey: bob.userId, content: { membership: 'join', displayname: 'B' } }
  assert.equal(await grows(() => setState(bob, roomId, join)), 1)
  assert.equal(await grows(() => setState(bob, roomId, join)), 0)
  assert.equal(await grows(() => alice.call(ban, { params, body })), 1)
  assert.equal(await grows(() => alice.call(ban, { params, body })), 0)
  assert.equal(await grows(() => alice.call(unban, { params, body })), 1)
  assert.equal(await grows(() => bob.call(leaveRoom, { params })), 0)
})

eachHomeserver('a membership set as state keeps to what memberships are', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice], { preset: 'public_chat' })
  const set = (client: TestClient, stateKey: string, content: Record<string, unknown>) =>
    client.refused(setRoomStateWithKey, {
      params: { roomId, eventType: 'm.room.member', stateKey },
      body: content as never,
    })
  assert.equal(outcome(await set(bob, bob.userId, {})), '400 M_BAD_JSON')
  assert.equal(outcome(await set(bob, bob.userId, { membership: 5 })), '400 M_BAD_JSON')
  assert.equal(outcome(await set(bob, bob.userId, { membership: 'join', displayname: 5 })), '400 M_BAD_JSON')
  assert.equal(outcome(await set(bob, bob.userId, { membership: 'join', avatar_url: {} })), '400 M_BAD_JSON')
  assert.equal(outcome(await set(alice, bob.userId, { membership: 'friend' })), '400 M_BAD_JSON')
  assert.equal(outcome(await set(alice, 'bob', { membership: 'invite' })), '400 M_INVALID_PARAM')
  assert.equal(outcome(await set(alice, '', { membership: 'invite' })), '400 M_INVALID_PARAM')
  assert.equal(outcome(await set(alice, bob.userId, { membership: 'join' })), '403 M_FORBIDDEN')
  const own = { type: 'm.room.member', stateKey: bob.userId }
  await setState(bob, roomId, { ...own, content: { membership: 'join', hat: 'red' } })
  assert.deepEqual(await membershipOf(bob, roomId, bob), { membership: 'join', displayname: 'bob', hat: 'red' })
  await setState(bob, roomId, { ...own, content: { membership: 'join', displayname: 'Bobby' } })
  assert.deepEqual(await membershipOf(bob, roomId, bob), { membership: 'join', displayname: 'Bobby' })
})

eachHomeserver('a stranger may knock where the room lets them, and be let in', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const initial_state = [{ type: 'm.room.join_rules', state_key: '', content: { join_rule: 'knock' } }]
  const [open, closed] = [await roomOf([alice], { initial_state }), await roomOf([alice])]
  const knock = { type: 'm.room.member', stateKey: bob.userId, content: { membership: 'knock', reason: 'please' } }
  await assert.rejects(setState(bob, closed, knock), /M_FORBIDDEN/)
  await assert.rejects(setState(bob, open, { ...knock, stateKey: alice.userId }), /M_FORBIDDEN/)
  await setState(bob, open, knock)
  assert.deepEqual(await membershipOf(alice, open, bob), { membership: 'knock', reason: 'please', displayname: 'bob' })
  assert.ok((await bob.call(sync)).rooms?.knock?.[open] !== undefined)
  assert.equal((await bob.refused(joinRoomById, { params: { roomId: open } })).errcode, 'M_FORBIDDEN')
  await alice.call(inviteUser, { params: { roomId: open }, body: whom(bob) })
  await bob.call(joinRoomById, { params: { roomId: open } })
})
