import assert from 'node:assert/strict'
import { setAccountData } from '#api/client/account-data.ts'
import { ban } from '#api/client/banning.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { login } from '#api/client/login.ts'
import { postReceipt } from '#api/client/receipts.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { sync } from '#api/client/sync.ts'
import { setRoomTag } from '#api/client/tags.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, send, setState } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'

type Query = Readonly<Record<string, string>>
const look = (client: TestClient, query: Query = {}) => client.call(sync, { query })
const filtered = (filter: JsonObject): Query => ({ filter: JSON.stringify(filter) })
const lazy = filtered({ room: { state: { lazy_load_members: true } } })

/** Asks for a room's part of a sync that waits until there is news. */
const waitFor = async (client: TestClient, roomId: string, query: Query) =>
  (await look(client, { timeout: '20000', ...query })).rooms?.join?.[roomId]
const sinceNow = async (client: TestClient, query: Query = {}) => (await look(client, query)).next_batch
const bodies = (room: Awaited<ReturnType<typeof waitFor>>) =>
  room?.timeline?.events.flatMap(({ content }) => content['body'] ?? [])

async function secondDevice(client: TestClient): Promise<TestClient> {
  const name = client.userId.slice(1).split(':')[0] ?? ''
  const identifier = { type: 'm.id.user', user: name }
  const body = { type: 'm.login.password', identifier, password: `password of ${name}` }
  const { access_token: accessToken, device_id: deviceId } = await client.call(login, { body })
  return client.with({ accessToken, deviceId, userId: client.userId })
}

eachHomeserver('only the device that sent a message is told its transaction ID', async ({ register }) => {
  const alice = await register('alice')
  const other = await secondDevice(alice)
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const viewers = [bob, other, alice, other, bob]
  const since = await Promise.all(viewers.map((viewer) => sinceNow(viewer)))
  const waiting = viewers.map((viewer, at) => waitFor(viewer, roomId, { since: since[at] ?? '' }))
  await say(alice, roomId, 'mine')
  const told = (await Promise.all(waiting)).map((room) => room?.timeline?.events[0]?.unsigned)
  assert.deepEqual(
    told.map((unsigned) => unsigned?.['transaction_id'] !== undefined),
    [false, false, true, false, false],
  )
  assert.ok(told.every((unsigned) => unsigned?.['membership'] === 'join'))
})

eachHomeserver(
  'who comes later or is sent away sees no message of the time that they were not there',
  async (server) => {
    const [alice, bob, carol] = [
      await server.register('alice'),
      await server.register('bob'),
      await server.register('carol'),
    ]
    const roomId = await roomOf([alice, bob])
    await setState(alice, roomId, { type: 'm.room.history_visibility', content: { history_visibility: 'joined' } })
    const [since, sinceCarol] = [await sinceNow(bob), await sinceNow(carol)]
    await say(alice, roomId, 'before carol')
    await carol.call(joinRoomById, { params: { roomId: await opened(alice, roomId) } })
    await say(alice, roomId, 'with all')
    const atCarol = await look(carol, { since: sinceCarol })
    assert.deepEqual(bodies(atCarol.rooms?.join?.[roomId]), ['with all'])
    const atBob = await look(bob, { since })
    assert.deepEqual(bodies(atBob.rooms?.join?.[roomId]), ['before carol', 'with all'])
    const [waitingBob, waitingCarol] = [
      look(bob, { since: atBob.next_batch, timeout: '20000' }),
      waitFor(carol, roomId, { since: atCarol.next_batch }),
    ]
    await alice.call(ban, { params: { roomId }, body: { user_id: bob.userId as UserId } })
    await say(alice, roomId, 'without bob')
    const left = (await waitingBob).rooms?.leave?.[roomId]
    assert.equal(left?.timeline?.events.at(-1)?.state_key, bob.userId)
    assert.equal((await look(bob, { since: atBob.next_batch })).rooms?.join, undefined)
    assert.deepEqual(
      bodies(await look(bob, { since: atBob.next_batch }).then(({ rooms }) => rooms?.leave?.[roomId])),
      [],
    )
    await waitingCarol
    const all = await look(carol, { since: atCarol.next_batch })
    assert.deepEqual(bodies(all.rooms?.join?.[roomId]), ['without bob'])
  },
)

/** Lets everybody join the room. */
async function opened(owner: TestClient, roomId: string): Promise<string> {
  await setState(owner, roomId, { type: 'm.room.join_rules', content: { join_rule: 'public' } })
  return roomId
}

eachHomeserver('each of those who wait is shown what they want of the same message', async ({ register }) => {
  const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')]
  const roomId = await roomOf([alice, bob, carol])
  const second = await secondDevice(carol)
  await bob.call(setAccountData, {
    params: { userId: bob.userId, type: 'm.ignored_user_list' },
    body: { ignored_users: { [alice.userId]: {} } },
  })
  const someFields = ['content', 'event_id', 'origin_server_ts', 'sender', 'type']
  const queries: readonly (readonly [TestClient, Query])[] = [
    [carol, {}],
    [second, lazy],
    [carol, filtered({ event_fields: someFields })],
    [bob, {}],
  ]
  const since = await Promise.all(queries.map(([client, query]) => sinceNow(client, query)))
  const wait = ([client, query]: readonly [TestClient, Query], at: number) =>
    waitFor(client, roomId, { ...query, since: since[at] ?? '' })
  const [whole, lazily, fields, ignoring] = queries.map(wait)
  const eventId = await say(alice, roomId, 'of alice')
  assert.deepEqual(bodies(await whole), ['of alice'])
  assert.deepEqual(bodies(await lazily), ['of alice'])
  const [event] = (await fields)?.timeline?.events ?? []
  assert.equal(event?.content['body'], 'of alice')
  assert.equal(event?.unsigned, undefined)
  assert.equal(event?.event_id, eventId)
  await say(carol, roomId, 'of carol')
  assert.deepEqual(bodies(await ignoring), ['of carol'])
  const noMessages = filtered({ room: { timeline: { not_types: ['m.room.message'] } } })
  const without = await look(carol, { ...noMessages, since: since[0] ?? '' })
  assert.deepEqual(bodies(without.rooms?.join?.[roomId]) ?? [], [])
})

eachHomeserver(
  'a device that loads members lazily is sent a speaker once, each device by itself',
  async ({ register }) => {
    const [alice, bob] = [await register('alice'), await register('bob')]
    const roomId = await roomOf([alice, bob])
    for (let n = 0; n < 12; n++) await say(bob, roomId, 'so that nobody else is in the timeline')
    const devices = [bob, await secondDevice(bob)]
    const since = await Promise.all(devices.map((device) => sinceNow(device, lazy)))
    const members = (room: Awaited<ReturnType<typeof waitFor>>) =>
      room?.state?.events?.map(({ state_key }) => state_key)
    await say(alice, roomId, 'first')
    const [first] = devices as [TestClient, TestClient]
    const told = await look(first, { ...lazy, since: since[0] ?? '' })
    assert.deepEqual(members(told.rooms?.join?.[roomId]), [alice.userId])
    const waiting = waitFor(first, roomId, { ...lazy, since: told.next_batch })
    await say(alice, roomId, 'second')
    assert.deepEqual(members(await waiting), [])
    const [, second] = devices as [TestClient, TestClient]
    const late = await look(second, { ...lazy, since: since[1] ?? '' })
    assert.deepEqual(members(late.rooms?.join?.[roomId]), [alice.userId])
    await setState(alice, roomId, {
      type: 'm.room.member',
      stateKey: alice.userId,
      content: { membership: 'join', displayname: 'A.' },
    })
    await say(alice, roomId, 'third')
    const renamed = await look(second, { ...lazy, since: late.next_batch })
    assert.deepEqual(
      renamed.rooms?.join?.[roomId]?.timeline?.events.map(({ type }) => type),
      ['m.room.member', 'm.room.message'],
    )
  },
)

eachHomeserver('what was shown before it was redacted is shown to nobody afterwards', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice, bob])
  const topic = await setState(alice, roomId, { type: 'm.room.topic', content: { topic: 'secret topic' } })
  const since = await sinceNow(bob)
  const secret = await say(alice, roomId, 'secret message')
  await setState(alice, roomId, { type: 'm.room.topic', content: { topic: 'plain' } })
  const shown = JSON.stringify(await look(bob, { since }))
  assert.match(shown, /secret topic/)
  assert.match(shown, /secret message/)
  assert.match(JSON.stringify(await look(alice)), /secret topic/)
  for (const eventId of [topic, secret]) {
    await alice.call(redactEvent, { params: { roomId, eventId, txnId: TestClient.txn() }, body: {} })
  }
  for (const again of [await look(bob, { since }), await look(bob), await look(alice)]) {
    assert.doesNotMatch(JSON.stringify(again), /secret/)
    const redacted = again.rooms?.join?.[roomId]?.timeline?.events.find(({ event_id }) => event_id === secret)
    assert.notEqual(redacted?.unsigned?.['redacted_because'], undefined)
  }
  const counted = (await look(bob)).rooms?.join?.[roomId]?.unread_notifications
  assert.equal(counted?.notification_count, 0)
})

eachHomeserver(
  'edits and references that come after a message was shown are told with it from then on',
  async (server) => {
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const roomId = await roomOf([alice, bob])
    const first = await say(alice, roomId, 'first')
    const second = await say(alice, roomId, 'second')
    const relations = async (client: TestClient, eventId: string) =>
      (await look(client)).rooms?.join?.[roomId]?.timeline?.events.find(({ event_id }) => event_id === eventId)
        ?.unsigned?.['m.relations'] as JsonObject | undefined
    const edit = (body: string) =>
      say(alice, roomId, `* ${body}`, {
        'm.new_content': { msgtype: 'm.text', body },
        'm.relates_to': { rel_type: 'm.replace', event_id: first },
      })
    for (const isRestarted of [false, true]) {
      if (isRestarted) await server.restart()
      for (const client of [alice, bob, alice]) assert.equal(await relations(client, second), undefined)
      for (const body of ['once', 'twice']) {
        const edited = await edit(body)
        for (const client of [bob, alice]) {
          const replacing = (await relations(client, first))?.['m.replace'] as JsonObject
          assert.equal(replacing['event_id'], edited)
        }
      }
    }
    const reference = { 'm.relates_to': { rel_type: 'm.reference', event_id: second } }
    const referring = await send(bob, roomId, 'm.reference.test', reference)
    assert.deepEqual((await relations(bob, second))?.['m.reference'], { chunk: [{ event_id: referring }] })
  },
)

eachHomeserver(
  'a first sync of several rooms tells of each its own receipts, tags and unread messages',
  async ({ register }) => {
    const [alice, bob] = [await register('alice'), await register('bob')]
    const rooms = [await roomOf([alice, bob]), await roomOf([alice, bob]), await roomOf([alice, bob])]
    const read: string[] = []
    for (const [n, roomId] of rooms.entries()) {
      const eventId = await say(alice, roomId, `read in ${n}`)
      read.push(eventId)
      const receiptType = n === 1 ? 'm.read.private' : 'm.read'
      await bob.call(postReceipt, { params: { roomId, receiptType, eventId }, body: {} })
      for (let m = 0; m < n; m++) await say(alice, roomId, 'unread')
      await bob.call(setRoomTag, { params: { userId: bob.userId, roomId, tag: `u.${n}` }, body: {} })
    }
    for (const [viewer, isBob] of [
      [bob, true],
      [alice, false],
      [bob, true],
    ] as const) {
      const { rooms: told } = await look(viewer)
      for (const [n, roomId] of rooms.entries()) {
        const room = told?.join?.[roomId]
        const receipts = room?.ephemeral?.events?.map(({ content }) => Object.keys(content)) ?? []
        assert.deepEqual(receipts, isBob || n !== 1 ? [[read[n]]] : [])
        const tags = room?.account_data?.events?.map(({ content }) => content)
        assert.deepEqual(tags, isBob ? [{ tags: { [`u.${n}`]: {} } }] : [])
        assert.equal(room?.unread_notifications?.notification_count, isBob ? n : 0)
      }
    }
  },
)

eachHomeserver(
  'messages to a device wake it, and only it, and are told once they are covered',
  async ({ register }) => {
    const alice = await register('alice')
    const other = await secondDevice(alice)
    const [since, sinceOther] = [await sinceNow(alice), await sinceNow(other)]
    const waiting = look(alice, { since, timeout: '20000' })
    await alice.call(sendToDevice, {
      params: { eventType: 'x.test', txnId: TestClient.txn() },
      body: { messages: { [alice.userId]: { [alice.deviceId]: { n: 1 } } } },
    })
    const { to_device: told, next_batch: next } = await waiting
    assert.deepEqual(told?.events?.[0]?.content, { n: 1 })
    assert.equal((await look(alice, { since: next, timeout: '20' })).to_device, undefined)
    assert.deepEqual((await look(alice, { since })).to_device?.events?.length ?? 0, 0)
    assert.equal((await look(other, { since: sinceOther, timeout: '20' })).to_device, undefined)
  },
)
