import assert from 'node:assert/strict'
import { ban } from '#api/client/banning.ts'
import { createRoom } from '#api/client/create-room.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { kick } from '#api/client/kicking.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import { setProfileField } from '#api/client/profile.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { getOneRoomEvent } from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { StandingChange } from '#services/accounts/standing.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { auditEntries } from '#storage/stores/audit.ts'
import { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { history, roomOf, say } from '#test/helpers/rooms.ts'

const setStanding = async ({ services }: TestHomeserver, { userId }: TestClient, wish: StandingChange) => {
  const account = await services.accounts.find(userId as UserId)
  await services.standings.set({ user: account?.user ?? 0, userId }, wish, undefined)
}

eachHomeserver(
  'of what a shadow-banned user does the others see nothing, and the user is answered',
  async (homeserver) => {
    const [alice, bob, carol] = [
      await homeserver.register('alice'),
      await homeserver.register('bob'),
      await homeserver.register('carol'),
    ]
    const roomId = await roomOf([alice, bob], { preset: 'trusted_private_chat' })
    const target = await say(alice, roomId, 'kept')
    const before = await history(bob, roomId)
    const { next_batch: since } = await bob.call(sync)
    await setStanding(homeserver, alice, { isShadowBanned: true })
    const [carolId, bobId] = [carol.userId as UserId, bob.userId as UserId]
    const txnId = 'same'
    const params = { roomId, eventType: 'm.room.message', txnId }
    const { event_id: sent } = await alice.call(sendMessage, { params, body: { body: 'x' } })
    assert.equal((await alice.call(sendMessage, { params, body: { body: 'x' } })).event_id, sent)
    await alice.call(setRoomStateWithKey, {
      params: { roomId, eventType: 'm.room.name', stateKey: '' },
      body: { name: 'x' },
    })
    await alice.call(redactEvent, { params: { roomId, eventId: target, txnId }, body: {} })
    await alice.call(inviteUser, { params: { roomId }, body: { user_id: carolId } })
    const member = { roomId, eventType: 'm.room.member', stateKey: carolId }
    await alice.call(setRoomStateWithKey, { params: member, body: { membership: 'invite' } })
    await alice.call(kick, { params: { roomId }, body: { user_id: bobId } })
    await alice.call(ban, { params: { roomId }, body: { user_id: bobId } })
    assert.deepEqual(await history(bob, roomId), before)
    assert.equal((await bob.call(sync, { query: { since } })).rooms?.join?.[roomId], undefined)
    assert.equal((await alice.refused(getOneRoomEvent, { params: { roomId, eventId: sent } })).status, 404)
    // A room is made, and nobody is asked into it.
    await alice.call(createRoom, { body: { invite: [carolId] } })
    assert.equal((await alice.call(getJoinedRooms)).joined_rooms.length, 2)
    assert.deepEqual((await carol.call(sync)).rooms?.invite ?? {}, {})
    // Who goes is seen going.
    await alice.call(leaveRoom, { params: { roomId } })
    assert.equal((await history(bob, roomId)).length, before.length + 1)
    await setStanding(homeserver, alice, { isShadowBanned: false })
    const open = await roomOf([alice], {})
    await alice.call(inviteUser, { params: { roomId: open }, body: { user_id: carolId } })
    assert.deepEqual(Object.keys((await carol.call(sync)).rooms?.invite ?? {}), [open])
  },
)

eachHomeserver('a suspended user says, joins and invites nothing, but leaves and takes back', async (homeserver) => {
  const [alice, bob] = [await homeserver.register('alice'), await homeserver.register('bob')]
  const roomId = await roomOf([alice, bob], { preset: 'trusted_private_chat' })
  const other = await roomOf([bob], { preset: 'public_chat' })
  const [own, foreign] = [await say(alice, roomId, 'own'), await say(bob, roomId, 'foreign')]
  await setStanding(homeserver, alice, { isSuspended: true })
  const body = { user_id: bob.userId as UserId }
  const acts = [
    () =>
      alice.refused(sendMessage, {
        params: { roomId, eventType: 'm.room.message', txnId: TestClient.txn() },
        body: { body: 'x' },
      }),
    () =>
      alice.refused(setRoomStateWithKey, {
        params: { roomId, eventType: 'm.room.name', stateKey: '' },
        body: { name: 'x' },
      }),
    () => alice.refused(joinRoomById, { params: { roomId: other } }),
    () => alice.refused(inviteUser, { params: { roomId }, body: { user_id: '@carol:example.org' as UserId } }),
    () => alice.refused(kick, { params: { roomId }, body }),
    () => alice.refused(ban, { params: { roomId }, body }),
    () => alice.refused(createRoom, { body: {} }),
    () =>
      alice.refused(setProfileField, {
        params: { userId: alice.userId, keyName: 'displayname' },
        body: { displayname: 'x' },
      }),
    () => alice.refused(redactEvent, { params: { roomId, eventId: foreign, txnId: TestClient.txn() }, body: {} }),
  ]
  for (const act of acts) {
    const { status, errcode } = await act()
    assert.deepEqual([status, errcode], [403, 'M_USER_SUSPENDED'])
  }
  await alice.call(redactEvent, { params: { roomId, eventId: own, txnId: TestClient.txn() }, body: {} })
  const { content } = await bob.call(getOneRoomEvent, { params: { roomId, eventId: own } })
  assert.deepEqual(content, {})
  await alice.call(leaveRoom, { params: { roomId } })
})

eachHomeserver(
  'what an administrator does and the record of it are written together or not at all',
  async (homeserver) => {
    const { services } = homeserver
    const alice = await homeserver.register('alice')
    const before = (await auditEntries(services.db, { limit: 10 })).length
    await assert.rejects(services.standings.set({ user: 12_345, userId: '@nobody:example.org' }, { isLocked: true }, 1))
    assert.equal((await auditEntries(services.db, { limit: 10 })).length, before)
    await setStanding(homeserver, alice, { isAdmin: true })
    const LAST = row({ count: integer() })
    const together = sql`SELECT count(*) AS count FROM audit WHERE action = 'change_standing' AND subject = ${alice.userId}`
    assert.equal((await services.db.get(LAST, together))?.count, 1)
  },
)
