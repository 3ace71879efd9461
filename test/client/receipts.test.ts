import assert from 'node:assert/strict'
import { getAccountDataPerRoom, setAccountData } from '#api/client/account-data.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { setReadMarker } from '#api/client/read-markers.ts'
import { postReceipt } from '#api/client/receipts.ts'
import { sync } from '#api/client/sync.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, send } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'

type Query = Readonly<Record<string, string>>
const look = (client: TestClient, query: Query = {}) => client.call(sync, { query })
type Answer = Awaited<ReturnType<typeof look>>

/** Receipts of an answer as `event type user thread`, sorted. */
const receiptsIn = (answer: Answer, roomId: string): string[] =>
  (answer.rooms?.join?.[roomId]?.ephemeral?.events ?? [])
    .filter(({ type }) => type === 'm.receipt')
    .flatMap(({ content }) =>
      Object.entries(content as Record<string, Record<string, Record<string, JsonObject>>>).flatMap(([event, types]) =>
        Object.entries(types).flatMap(([type, users]) =>
          Object.entries(users).map(([user, { ts, thread_id: thread }]) => {
            assert.equal(typeof ts, 'number')
            return [event, type, user, thread ?? '-'].join(' ')
          }),
        ),
      ),
    )
    .sort()

const read = (
  client: TestClient,
  roomId: string,
  eventId: string,
  { type = 'm.read', thread }: { readonly type?: string; readonly thread?: string } = {},
) =>
  client.call(postReceipt, {
    params: { roomId, receiptType: type, eventId },
    body: thread === undefined ? {} : { thread_id: thread },
  })
const marker = async (client: TestClient, roomId: string): Promise<unknown> =>
  (await client.call(getAccountDataPerRoom, { params: { userId: client.userId, roomId, type: 'm.fully_read' } }))[
    'event_id'
  ]
const unread = (answer: Answer, roomId: string) => answer.rooms?.join?.[roomId]?.unread_notifications

eachHomeserver('a receipt wakes everybody in the room, a private one only its own user', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const one = await say(alice, roomId, '1')
  const two = await say(alice, roomId, '2')
  const [alices, bobs] = [await look(alice), await look(bob)]
  const waiting = look(alice, { since: alices.next_batch, timeout: '30000' })
  await read(bob, roomId, one)
  const woken = await waiting
  const public1 = `${one} m.read ${bob.userId} -`
  assert.deepEqual(receiptsIn(woken, roomId), [public1])
  const own = look(bob, { since: bobs.next_batch, timeout: '30000' })
  assert.deepEqual(receiptsIn(await own, roomId), [public1])
  const waitingBob = look(bob, { since: (await own).next_batch, timeout: '30000' })
  await read(bob, roomId, two, { type: 'm.read.private' })
  const private2 = `${two} m.read.private ${bob.userId} -`
  assert.deepEqual(receiptsIn(await waitingBob, roomId), [private2])
  assert.equal((await look(alice, { since: woken.next_batch })).rooms, undefined)
  assert.deepEqual(receiptsIn(await look(alice), roomId), [public1])
  assert.deepEqual(receiptsIn(await look(bob), roomId), [public1, private2].sort())
})

eachHomeserver('a receipt never moves back, and says so to nobody', async ({ register, restart }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const events: string[] = []
  for (let n = 0; n < 4; n++) events.push(await say(alice, roomId, String(n)))
  const [zero = '', one = '', two = '', three = ''] = events
  await read(bob, roomId, two)
  const { next_batch: since } = await look(alice)
  await read(bob, roomId, one)
  await read(bob, roomId, two)
  assert.equal((await look(alice, { since })).rooms, undefined)
  await restart()
  await read(bob, roomId, zero)
  assert.deepEqual(receiptsIn(await look(alice), roomId), [`${two} m.read ${bob.userId} -`])
  await Promise.all([three, zero, two, three, one].map((event) => read(bob, roomId, event)))
  assert.deepEqual(receiptsIn(await look(alice, { since }), roomId), [`${three} m.read ${bob.userId} -`])
})

eachHomeserver('receipts in threads and for the whole room stand beside each other', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const root = await say(alice, roomId, 'root')
  const relates = (type: string, event: string, more: JsonObject = {}) => ({
    'm.relates_to': { rel_type: type, event_id: event, ...more },
  })
  const reply = await say(alice, roomId, 'reply', relates('m.thread', root))
  const reaction = await send(alice, roomId, 'm.reaction', relates('m.annotation', reply, { key: 'x' }))
  const onRoot = await send(alice, roomId, 'm.reaction', relates('m.annotation', root, { key: 'x' }))
  const outside = await say(alice, roomId, 'outside')
  const { next_batch: since } = await look(alice)
  await read(bob, roomId, reply, { thread: root })
  await read(bob, roomId, root, { thread: 'main' })
  await read(bob, roomId, root)
  const all = [
    `${reply} m.read ${bob.userId} ${root}`,
    `${root} m.read ${bob.userId} -`,
    `${root} m.read ${bob.userId} main`,
  ]
  assert.deepEqual(receiptsIn(await look(alice, { since }), roomId), all.toSorted())
  for (const [event, thread] of [
    [root, root],
    [reaction, root],
    [onRoot, root],
    [onRoot, 'main'],
    [outside, 'main'],
  ] as const) {
    await read(bob, roomId, event, { thread })
  }
  for (const [event, thread] of [
    [reply, 'main'],
    [reaction, 'main'],
    [outside, root],
    [reply, outside],
    [reply, '$unknown'],
    [reply, 'no event'],
    [outside, '\0\ud800'],
  ] as const) {
    const refusal = await bob.refused(postReceipt, {
      params: { roomId, receiptType: 'm.read', eventId: event },
      body: { thread_id: thread },
    })
    assert.deepEqual([refusal.status, refusal.errcode], [400, 'M_INVALID_PARAM'], thread)
  }
})

eachHomeserver('receipts that cannot be are refused', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const carol = await register('carol')
  const roomId = await roomOf([alice, bob])
  const elsewhere = await roomOf([alice])
  const eventId = await say(alice, roomId, '1')
  const foreign = await say(alice, elsewhere, '2')
  const params = { roomId, receiptType: 'm.read', eventId }
  const refusals = async (client: TestClient, more: object, input: { body?: never; raw?: string } = {}) => {
    const { status, errcode } = await client.refused(postReceipt, { params: { ...params, ...more }, ...input })
    return [status, errcode]
  }
  assert.deepEqual(await refusals(bob, { eventId: '$unknown' }), [404, 'M_NOT_FOUND'])
  assert.deepEqual(await refusals(alice, { eventId: foreign }), [404, 'M_NOT_FOUND'])
  assert.deepEqual(await refusals(bob, { eventId: '$\0' }), [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await refusals(bob, { eventId: 'x' }), [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await refusals(bob, { receiptType: 'm.other' }), [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await refusals(carol, {}), [403, 'M_FORBIDDEN'])
  assert.deepEqual(await refusals(bob, { roomId: '!unknown:example.org' }), [403, 'M_FORBIDDEN'])
  assert.deepEqual(await refusals(bob, {}, { raw: '{"thread_id":""}' }), [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await refusals(bob, {}, { raw: '{"thread_id":5}' }), [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await refusals(bob, { receiptType: 'm.fully_read' }, { raw: '{"thread_id":"main"}' }), [
    400,
    'M_INVALID_PARAM',
  ])
  await bob.call(leaveRoom, { params: { roomId } })
  assert.deepEqual(await refusals(bob, {}), [403, 'M_FORBIDDEN'])
  assert.deepEqual(receiptsIn(await look(alice), roomId), [])
  // No body at all is a receipt for the whole room.
  await alice.call(postReceipt, { params })
  assert.equal(receiptsIn(await look(alice), roomId).length, 1)
})

eachHomeserver(
  'the marker of what is fully read moves forward with receipts or alone',
  async ({ register, restart }) => {
    const alice = await register('alice')
    const bob = await register('bob')
    const roomId = await roomOf([alice, bob])
    const one = await say(alice, roomId, '1')
    const two = await say(alice, roomId, '2')
    const three = await say(alice, roomId, '3')
    const { next_batch: since } = await look(bob)
    const set = (body: object) => bob.call(setReadMarker, { params: { roomId }, body: body as never })
    await set({ 'm.fully_read': two, 'm.read': one, 'm.read.private': three })
    const answer = await look(bob, { since })
    assert.deepEqual(answer.rooms?.join?.[roomId]?.account_data?.events, [
      { type: 'm.fully_read', content: { event_id: two } },
    ])
    const mine = [`${one} m.read ${bob.userId} -`, `${three} m.read.private ${bob.userId} -`].sort()
    assert.deepEqual(receiptsIn(answer, roomId), mine)
    await restart()
    await set({ 'm.fully_read': one })
    assert.equal(await marker(bob, roomId), two)
    assert.equal((await look(bob, { since: answer.next_batch })).rooms, undefined)
    await set({ 'm.fully_read': null, 'org.example': 1 })
    await set({})
    assert.equal(await marker(bob, roomId), two)
    await read(bob, roomId, three, { type: 'm.fully_read' })
    assert.equal(await marker(bob, roomId), three)
    await read(bob, roomId, one, { type: 'm.fully_read' })
    await Promise.all([one, three, two, three].map((event) => set({ 'm.fully_read': event, 'm.read': event })))
    assert.equal(await marker(bob, roomId), three)
    assert.ok(receiptsIn(await look(alice), roomId).includes(`${three} m.read ${bob.userId} -`))
  },
)

eachHomeserver('of markers that cannot be nothing is set', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice])
  const eventId = await say(alice, roomId, '1')
  const refused = async (client: TestClient, body: object) => {
    const { status, errcode } = await client.refused(setReadMarker, { params: { roomId }, body: body as never })
    return [status, errcode]
  }
  assert.deepEqual(await refused(alice, { 'm.fully_read': eventId, 'm.read': '$unknown' }), [404, 'M_NOT_FOUND'])
  assert.deepEqual(await refused(alice, { 'm.fully_read': '$unknown', 'm.read': eventId }), [404, 'M_NOT_FOUND'])
  assert.deepEqual(await refused(alice, { 'm.fully_read': 'x' }), [400, 'M_INVALID_PARAM'])
  assert.deepEqual(await refused(alice, { 'm.read': 7 }), [400, 'M_BAD_JSON'])
  assert.deepEqual(await refused(bob, { 'm.read': eventId }), [403, 'M_FORBIDDEN'])
  await assert.rejects(marker(alice, roomId), /M_NOT_FOUND/)
  assert.deepEqual(receiptsIn(await look(alice), roomId), [])
})

eachHomeserver('what is read is no longer counted, in its thread or everywhere', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob, await register('carol')])
  const filter = JSON.stringify({ room: { timeline: { unread_thread_notifications: true } } })
  const mention = { 'm.mentions': { user_ids: [bob.userId] } }
  const root = await say(alice, roomId, 'root')
  const inThread = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
  const reply = await say(alice, roomId, 'reply', { ...inThread, ...mention })
  const outside = await say(alice, roomId, 'outside', mention)
  const counts = async () => {
    const answer = await look(bob, { filter })
    const room = answer.rooms?.join?.[roomId]
    return [unread(answer, roomId), room?.unread_thread_notifications?.[root]]
  }
  const some = (notification_count: number, highlight_count: number) => ({ notification_count, highlight_count })
  assert.deepEqual(await counts(), [some(2, 1), some(1, 1)])
  const { next_batch: since } = await look(bob, { filter })
  const waiting = look(bob, { filter, since, timeout: '30000' })
  await read(bob, roomId, outside, { thread: 'main', type: 'm.read.private' })
  assert.deepEqual(unread(await waiting, roomId), some(0, 0))
  assert.deepEqual(await counts(), [some(0, 0), some(1, 1)])
  await read(bob, roomId, reply, { thread: root })
  assert.deepEqual(await counts(), [some(0, 0), undefined])
  await say(alice, roomId, 'more', mention)
  const last = await say(alice, roomId, 'more', { ...inThread, ...mention })
  assert.deepEqual(await counts(), [some(1, 1), some(1, 1)])
  await read(bob, roomId, last)
  assert.deepEqual(await counts(), [some(0, 0), undefined])
})

eachHomeserver('filters and ignored users keep receipts away', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const eventId = await say(alice, roomId, '1')
  await read(bob, roomId, eventId)
  const filter = JSON.stringify({ room: { ephemeral: { not_types: ['m.receipt'] } } })
  assert.deepEqual(receiptsIn(await look(alice, { filter }), roomId), [])
  assert.equal(receiptsIn(await look(alice), roomId).length, 1)
  await alice.call(setAccountData, {
    params: { userId: alice.userId, type: 'm.ignored_user_list' },
    body: { ignored_users: { [bob.userId]: {} } },
  })
  assert.deepEqual(receiptsIn(await look(alice), roomId), [])
})
