import assert from 'node:assert/strict'
import { setAccountData } from '#api/client/account-data.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { defaultRules } from '#protocol/push/default-rules.ts'
import { changeRule } from '#protocol/push/edit-rules.ts'
import { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'
import { isRefusal } from '#util/verdict.ts'

const filter = JSON.stringify({ room: { timeline: { unread_thread_notifications: true } } })

/** What the client is told of a room: notifications and highlights outside threads, then those of each thread. */
const counts = async (client: TestClient, roomId: string): Promise<number[][]> => {
  const room = (await client.call(sync, { query: { filter } })).rooms?.join?.[roomId]
  return [room?.unread_notifications, ...Object.values(room?.unread_thread_notifications ?? {})].map((unread) => [
    unread?.notification_count ?? -1,
    unread?.highlight_count ?? -1,
  ])
}
const redact = (client: TestClient, roomId: string, eventId: string) =>
  client.call(redactEvent, { params: { roomId, eventId, txnId: TestClient.txn() }, body: {} })
const mentioning = ({ userId }: TestClient) => ({ 'm.mentions': { user_ids: [userId] } })

eachHomeserver('what ignored users say is not counted, however the counts are made', async (test) => {
  const [alice, bob, carol] = [await test.register('alice'), await test.register('bob'), await test.register('carol')]
  const roomId = await roomOf([alice, bob, carol])
  const ignore = (...others: TestClient[]) =>
    bob.call(setAccountData, {
      params: { userId: bob.userId, type: 'm.ignored_user_list' },
      body: { ignored_users: Object.fromEntries(others.map(({ userId }) => [userId, {}])) },
    })
  const root = await say(alice, roomId, 'root')
  const inThread = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
  await say(carol, roomId, 'before', mentioning(bob))
  await say(carol, roomId, 'before', { ...inThread, ...mentioning(bob) })
  assert.deepEqual(await counts(bob, roomId), [
    [2, 1],
    [1, 1],
  ])
  await ignore(carol)
  assert.deepEqual(await counts(bob, roomId), [[1, 0]])
  await say(carol, roomId, 'meanwhile', mentioning(bob))
  await say(carol, roomId, 'meanwhile', inThread)
  assert.deepEqual(await counts(bob, roomId), [[1, 0]])
  await test.restart()
  assert.deepEqual(await counts(bob, roomId), [[1, 0]])
  await ignore()
  assert.deepEqual(await counts(bob, roomId), [
    [3, 2],
    [2, 1],
  ])
})

eachHomeserver('what was redacted is not counted, whatever it meant to a member', async (test) => {
  const [alice, bob, carol] = [await test.register('alice'), await test.register('bob'), await test.register('carol')]
  const roomId = await roomOf([alice, bob, carol])
  const user = (await test.services.users.find(carol.userId))?.user ?? 0
  await test.services.pushRules.change(user, (said) => {
    const rule = { kind: 'underride', ruleId: '.m.rule.message', defaults: defaultRules(carol.userId) } as const
    const muted = changeRule(said, rule, { actions: [] })
    if (isRefusal(muted)) throw new Error(muted.reason)
    return muted
  })
  const regretted = await say(alice, roomId, 'bob, are you there?', mentioning(bob))
  const muted = await say(alice, roomId, 'to nobody')
  await say(alice, roomId, 'carol, you are', mentioning(carol))
  assert.deepEqual(await counts(bob, roomId), [[3, 1]])
  assert.deepEqual(await counts(carol, roomId), [[1, 1]])
  for (const eventId of [regretted, muted]) await redact(alice, roomId, eventId)
  for (const restart of [() => {}, test.restart]) {
    await restart()
    assert.deepEqual(await counts(bob, roomId), [[1, 0]])
    assert.deepEqual(await counts(carol, roomId), [[1, 1]])
  }
})

eachHomeserver('whoever comes back counts from then on', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const roomId = await roomOf([alice, bob, await test.register('carol')])
  await say(alice, roomId, 'do not go', mentioning(bob))
  assert.deepEqual(await counts(bob, roomId), [[1, 1]])
  await bob.call(leaveRoom, { params: { roomId }, body: {} })
  await say(alice, roomId, 'bob went', mentioning(bob))
  await alice.call(inviteUser, { params: { roomId }, body: { user_id: bob.userId as UserId } })
  await bob.call(joinRoomById, { params: { roomId } })
  assert.deepEqual(await counts(bob, roomId), [[0, 0]])
  await say(alice, roomId, 'welcome back')
  assert.deepEqual(await counts(bob, roomId), [[1, 0]])
})

eachHomeserver('whoever says something has read what was said before, in the same thread', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const roomId = await roomOf([alice, bob, await test.register('carol')])
  const root = await say(alice, roomId, 'root')
  const inThread = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
  await say(alice, roomId, 'in the thread', inThread)
  await say(alice, roomId, 'bob?', mentioning(bob))
  const both = [
    [2, 1],
    [1, 0],
  ]
  assert.deepEqual(await counts(bob, roomId), both)
  await say(bob, roomId, 'a notice tells nobody anything', { msgtype: 'm.notice' })
  assert.deepEqual(await counts(bob, roomId), both)
  await say(bob, roomId, 'yes')
  for (const restart of [() => {}, test.restart]) {
    await restart()
    assert.deepEqual(await counts(bob, roomId), [
      [0, 0],
      [1, 0],
    ])
  }
  await say(bob, roomId, 'here too', inThread)
  await say(alice, roomId, 'good', mentioning(bob))
  for (const restart of [() => {}, test.restart]) {
    await restart()
    assert.deepEqual(await counts(bob, roomId), [[1, 1]])
  }
})
