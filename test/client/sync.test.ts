import assert from 'node:assert/strict'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { RawConnection } from '#test/helpers/raw-http.ts'
import { roomOf, say, send, setState } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'
import { nextTurn } from '#util/next-turn.ts'

type Query = Readonly<Record<string, string>>

const look = (client: TestClient, query: Query = {}) => client.call(sync, { query })
const filtered = (filter: JsonObject): Query => ({ filter: JSON.stringify(filter) })
const lazy = filtered({ room: { state: { lazy_load_members: true }, timeline: { limit: 3 } } })

eachHomeserver('a first sync shows each room with its whole state before the timeline', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice], { name: 'N' })
  for (let n = 0; n < 15; n++) await say(alice, roomId, String(n))
  const room = (await look(alice)).rooms?.join?.[roomId]
  assert.equal(room?.timeline?.events.length, 10)
  assert.equal(room?.timeline?.limited, true)
  assert.deepEqual(
    new Set(room?.state?.events?.map(({ type }) => type)),
    new Set([
      'm.room.create',
      'm.room.member',
      'm.room.power_levels',
      'm.room.join_rules',
      'm.room.history_visibility',
      'm.room.guest_access',
      'm.room.name',
    ]),
  )
  assert.deepEqual(room?.summary, { 'm.joined_member_count': 1, 'm.invited_member_count': 0 })
})

eachHomeserver(
  'state that changed in a gap is told, under the name and at the side that the client wants',
  async ({ register }) => {
    const alice = await register('alice')
    const roomId = await roomOf([alice])
    const { next_batch: since } = await look(alice)
    await setState(alice, roomId, { type: 'm.room.topic', content: { topic: 'in the gap' } })
    for (let n = 0; n < 11; n++) await say(alice, roomId, String(n))
    await setState(alice, roomId, { type: 'm.room.name', content: { name: 'in the timeline' } })
    const types = (events: readonly { readonly type: string }[] | undefined) => events?.map(({ type }) => type)
    const before = (await look(alice, { since })).rooms?.join?.[roomId]
    assert.deepEqual(types(before?.state?.events), ['m.room.topic'])
    assert.equal(before?.timeline?.limited, true)
    const after = (await look(alice, { since, use_state_after: 'true' })).rooms?.join?.[roomId]
    assert.deepEqual(new Set(types(after?.state_after?.events)), new Set(['m.room.topic', 'm.room.name']))
    assert.equal(after?.state, undefined)
    const unstable = (await look(alice, { since, 'org.matrix.msc4222.use_state_after': 'true' })).rooms?.join?.[roomId]
    assert.equal(unstable?.['org.matrix.msc4222.state_after']?.events?.length, 2)
    const full = (await look(alice, { since, full_state: 'true' })).rooms?.join?.[roomId]
    assert.ok((full?.state?.events?.length ?? 0) >= 7)
  },
)

eachHomeserver('members who do not speak are not sent to clients that load them lazily', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const carol = await register('carol')
  const roomId = await roomOf([alice, bob, carol])
  for (let n = 0; n < 4; n++) await say(alice, roomId, String(n))
  const members = (events: readonly { type: string; state_key?: string | undefined }[] | undefined) =>
    events?.filter(({ type }) => type === 'm.room.member').map(({ state_key }) => state_key) ?? []
  const first = await look(carol, lazy)
  const room = first.rooms?.join?.[roomId]
  assert.deepEqual(new Set(members(room?.state?.events)), new Set([alice.userId, carol.userId]))
  assert.deepEqual(new Set(room?.summary?.['m.heroes']), new Set([alice.userId, bob.userId]))
  assert.equal(room?.summary?.['m.joined_member_count'], 3)
  await say(bob, roomId, 'I am here')
  const second = await look(carol, { ...lazy, since: first.next_batch })
  assert.deepEqual(members(second.rooms?.join?.[roomId]?.state?.events), [bob.userId])
  await say(bob, roomId, 'still')
  const third = await look(carol, { ...lazy, since: second.next_batch })
  assert.deepEqual(members(third.rooms?.join?.[roomId]?.state?.events), [])
})

for (const room_version of ['1', '12'])
  eachHomeserver(`a client can have events as servers have them, in room version ${room_version}`, async (server) => {
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const roomId = await roomOf([alice, bob], { room_version, name: 'N' })
    const asServers = filtered({ event_format: 'federation' })
    const { next_batch: since, ...first } = await look(bob, asServers)
    const eventId = await say(alice, roomId, 'whole')
    const told = (await look(bob, { ...asServers, since })).rooms?.join?.[roomId]
    const event = told?.timeline?.events[0]
    assert.equal(event?.['event_id'], eventId)
    for (const key of ['auth_events', 'prev_events', 'depth', 'hashes', 'signatures', 'unsigned'])
      assert.ok(event?.[key] !== undefined, key)
    assert.equal(event?.['room_id'], roomId)
    const before = first.rooms?.join?.[roomId]
    const all = [...(before?.state?.events ?? []), ...(before?.timeline?.events ?? [])] as JsonObject[]
    assert.ok(all.length > 5 && all.every((one) => one['signatures'] !== undefined))
  })

eachHomeserver('somebody who joins sees the room as new, and the others see them come', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice])
  await say(alice, roomId, 'history')
  const [a, b] = [await look(alice), await look(bob)]
  await alice.call(inviteUser, { params: { roomId }, body: { user_id: bob.userId as UserId } })
  const waiting = look(bob, { since: b.next_batch, timeout: '20000' })
  const invited = await waiting
  assert.ok(invited.rooms?.invite?.[roomId])
  await bob.call(joinRoomById, { params: { roomId } })
  const joined = (await look(bob, { since: invited.next_batch })).rooms?.join?.[roomId]
  assert.ok(
    joined?.state?.events?.length !== undefined &&
      joined.state.events.length + (joined.timeline?.events.length ?? 0) >= 7,
  )
  const seen = (await look(alice, { since: a.next_batch })).rooms?.join?.[roomId]
  assert.deepEqual(
    seen?.timeline?.events.map(({ content }) => content['membership']),
    ['invite', 'join'],
  )
  assert.equal(seen?.summary?.['m.joined_member_count'], 2)
})

eachHomeserver('filters choose types, senders and rooms, and fields of events', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const other = await roomOf([alice])
  const mine = await say(alice, roomId, 'mine', { url: 'mxc://a/b' })
  for (let n = 0; n < 30; n++) await say(bob, roomId, 'noise')
  await send(alice, roomId, 'org.example.thing', {})
  const ids = async (timeline: JsonObject, room: JsonObject = {}) =>
    (await look(alice, filtered({ room: { timeline, ...room } }))).rooms?.join?.[roomId]?.timeline
  const bySender = await ids({ senders: [alice.userId], types: ['m.room.*'], not_types: ['m.room.member'], limit: 2 })
  assert.equal(bySender?.events.at(-1)?.event_id, mine)
  assert.equal((await ids({ contains_url: true }))?.events.length, 1)
  assert.equal((await ids({ types: ['org.example.*'] }))?.events.length, 1)
  assert.equal((await ids({ types: [] }))?.events.length, 0)
  const some = await look(alice, filtered({ room: { not_rooms: [other] } }))
  assert.deepEqual(Object.keys(some.rooms?.join ?? {}), [roomId])
  const wrong = await alice.refused(sync, { query: filtered({ room: { timeline: { limit: 'x' } } }) })
  assert.equal(wrong.errcode, 'M_BAD_JSON')
  assert.equal((await alice.refused(sync, { query: { filter: '{' } })).errcode, 'M_NOT_JSON')
  assert.equal((await alice.refused(sync, { query: { filter: '77' } })).errcode, 'M_NOT_FOUND')
  assert.equal((await alice.refused(sync, { query: { since: 's1_2' } })).errcode, 'M_INVALID_PARAM')
})

eachHomeserver('a sync waits until there is news, and no longer than it is asked to', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const { next_batch: since } = await look(bob)
  const empty = await look(bob, { since, timeout: '30' })
  assert.equal(empty.rooms, undefined)
  const waiting = Array.from({ length: 5 }, () => look(bob, { since, timeout: '20000' }))
  const eventId = await say(alice, roomId, 'wake')
  for (const answer of await Promise.all(waiting)) {
    assert.equal(answer.rooms?.join?.[roomId]?.timeline?.events[0]?.event_id, eventId)
  }
})

eachHomeserver('tokens go on being good after a restart', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const roomId = await roomOf([alice])
  const { next_batch: since } = await look(alice)
  const ids = [await say(alice, roomId, '1')]
  await homeserver.restart()
  ids.push(await say(alice, roomId, '2'))
  const events = (await look(alice, { since })).rooms?.join?.[roomId]?.timeline?.events
  assert.deepEqual(
    events?.map(({ event_id }) => event_id),
    ids,
  )
})

eachHomeserver('unread messages are counted for those who did not send them, mentions apart', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const carol = await register('carol')
  const roomId = await roomOf([alice, bob, carol])
  const counts = async (client: TestClient) => (await look(client)).rooms?.join?.[roomId]?.unread_notifications
  const { next_batch: since } = await look(bob)
  await say(alice, roomId, 'one')
  await say(alice, roomId, 'two', { 'm.mentions': { user_ids: [bob.userId] } })
  await say(alice, roomId, 'three', { msgtype: 'm.notice' })
  assert.deepEqual(await counts(alice), { notification_count: 0, highlight_count: 0 })
  assert.deepEqual(await counts(bob), { notification_count: 2, highlight_count: 1 })
  assert.deepEqual(await counts(carol), { notification_count: 2, highlight_count: 0 })
  const next = (await look(bob, { since })).rooms?.join?.[roomId]
  assert.equal(next?.timeline?.events.length, 3)
  assert.deepEqual(next?.unread_notifications, { notification_count: 2, highlight_count: 1 })
})

eachHomeserver('threads are counted apart for clients that know them', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const root = await say(alice, roomId, 'root')
  const inThread = { 'm.relates_to': { rel_type: 'm.thread', event_id: root } }
  const reply = await say(alice, roomId, 'in it', inThread)
  await say(alice, roomId, 'and again', { ...inThread, 'm.mentions': { user_ids: [bob.userId] } })
  await say(alice, roomId, 'edit', { 'm.relates_to': { rel_type: 'm.replace', event_id: reply }, 'm.new_content': {} })
  const threads = filtered({ room: { timeline: { unread_thread_notifications: true } } })
  const room = (await look(bob, threads)).rooms?.join?.[roomId]
  assert.deepEqual(room?.unread_notifications, { notification_count: 1, highlight_count: 0 })
  assert.deepEqual(room?.unread_thread_notifications, { [root]: { notification_count: 2, highlight_count: 1 } })
  const whole = (await look(bob)).rooms?.join?.[roomId]
  assert.deepEqual(whole?.unread_notifications, { notification_count: 3, highlight_count: 1 })
})

/** Lets everything that is ready have its turn until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    assert.ok(turn < 1_000_000, 'it never came to be so')
    await nextTurn()
  }
}

eachHomeserver('a client that hangs up waits no longer', async ({ register, url, services: { waiters } }) => {
  const alice = await register('alice')
  const { next_batch: since } = await look(alice)
  const connection = new RawConnection(new URL(url))
  const query = new URLSearchParams({ since, timeout: '300000' })
  const answer = connection.request('GET', `/_matrix/client/v3/sync?${query}`, { token: alice.accessToken ?? '' })
  const isLost = assert.rejects(answer)
  await until(() => waiters.count === 1)
  connection.close()
  await until(() => waiters.count === 0)
  await isLost
})
