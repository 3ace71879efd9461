import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { getRoomStateWithKey } from '#api/client/rooms.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, setState } from '#test/helpers/rooms.ts'

eachHomeserver('a membership is that of a user', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const noUser = { status: 400, errcode: 'M_INVALID_PARAM' }
  for (const stateKey of [
    '',
    'bob',
    '@bob',
    '!bob:example.org',
    '@bob:',
    '@b\0b:example.org',
    `@${'b'.repeat(253)}:x`,
  ]) {
    for (const membership of ['invite', 'ban']) {
      const content = { membership }
      await assert.rejects(setState(alice, roomId, { type: 'm.room.member', stateKey, content }), noUser, stateKey)
    }
    const initial_state = [{ type: 'm.room.member', state_key: stateKey, content: { membership: 'ban' } }]
    await assert.rejects(alice.call(createRoom, { body: { initial_state } as never }), noUser, stateKey)
  }
})

eachHomeserver('nobody says that a user of another server authorised a membership', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  for (const version of ['7', '8', '11', '12']) {
    const roomId = await roomOf([alice, bob], { room_version: version })
    const set = (user: string, membership: string, by: unknown) =>
      setState(alice, roomId, {
        type: 'm.room.member',
        stateKey: user,
        content: { membership, join_authorised_via_users_server: by as string },
      })
    if (version === '7') {
      await set(alice.userId, 'join', '@admin:elsewhere.org')
      continue
    }
    const refused = { status: 403, errcode: 'M_FORBIDDEN' }
    await assert.rejects(set(alice.userId, 'join', '@admin:elsewhere.org'), refused)
    await assert.rejects(set(alice.userId, 'join', 7), refused)
    await assert.rejects(set(bob.userId, 'ban', '@admin:elsewhere.org'), refused)
    await set(alice.userId, 'join', bob.userId)
    const params = { roomId, eventType: 'm.room.member', stateKey: alice.userId }
    assert.equal(
      ((await alice.call(getRoomStateWithKey, { params })) as Record<string, unknown>)[
        'join_authorised_via_users_server'
      ],
      bob.userId,
    )
  }
})
