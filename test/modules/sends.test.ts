import assert from 'node:assert/strict'
import { redactEvent } from '#api/client/redaction.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { getOneRoomEvent, getRoomStateWithKey } from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import { shadow, softFail } from '#modules/verdicts.ts'
import { boolean, row, text } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { history, roomOf, say } from '#test/helpers/rooms.ts'
import { assertRefused, no, withRecorder } from './recorder.ts'

const message = { msgtype: 'm.text', body: 'buy!' }

/** The ways to send an event. */
const waysOf = (client: TestClient, roomId: string, target: string) => ({
  message: (txnId: string) =>
    client.send(sendMessage, { params: { roomId, eventType: 'm.room.message', txnId }, body: message }),
  state: () =>
    client.send(setRoomStateWithKey, {
      params: { roomId, eventType: 'm.room.topic', stateKey: '' },
      body: { topic: 'buy!' },
    }),
  redaction: (txnId: string) =>
    client.send(redactEvent, { params: { roomId, eventId: target, txnId }, body: { reason: 'r' } }),
  sentRedaction: (txnId: string) =>
    client.send(sendMessage, { params: { roomId, eventType: 'm.room.redaction', txnId }, body: { redacts: target } }),
})
const idOf = ({ body }: { readonly body: unknown }) => (body as { event_id: string }).event_id

withRecorder('a module hears of every send, and its no is the answer', async (homeserver, recorder) => {
  const alice = await homeserver.register('alice')
  const roomId = await roomOf([alice])
  const target = await say(alice, roomId, 'kept')
  const before = await history(alice, roomId)
  recorder.taken()
  recorder.answer('checkEventForSpam', no)
  const ways = waysOf(alice, roomId, target)
  for (const way of Object.values(ways)) {
    const { status, body } = await way('t')
    assertRefused({ status, errcode: String((body as { errcode: string }).errcode), body: body as never })
  }
  const draft = (type: string, stateKey: string | undefined, content: unknown) => [
    'checkEventForSpam',
    alice.userId,
    { roomId, type, stateKey, content },
  ]
  assert.deepEqual(recorder.taken(), [
    draft('m.room.message', undefined, message),
    draft('m.room.topic', '', { topic: 'buy!' }),
    draft('m.room.redaction', undefined, { reason: 'r', redacts: target }),
    draft('m.room.redaction', undefined, { redacts: target }),
  ])
  assert.deepEqual(await history(alice, roomId), before)
  recorder.answer('checkEventForSpam', undefined)
  for (const way of Object.values(ways)) assert.equal((await way('t')).status, 200)
  assert.equal((await history(alice, roomId)).length, before.length + 4)
})

withRecorder('what a module shadows is answered as if it were sent, and is not', async (homeserver, recorder) => {
  const [alice, bob] = [await homeserver.register('alice'), await homeserver.register('bob')]
  const roomId = await roomOf([alice, bob])
  const target = await say(alice, roomId, 'kept')
  const before = await history(bob, roomId)
  const { next_batch: since } = await bob.call(sync)
  recorder.answer('checkEventForSpam', shadow)
  const ways = waysOf(alice, roomId, target)
  const ids = new Set<string>()
  for (const [name, way] of Object.entries(ways)) {
    const first = await way(`t${name}`)
    assert.equal(first.status, 200)
    assert.match(idOf(first), /^\$[A-Za-z0-9_-]{43}$/)
    ids.add(idOf(first))
    // Who repeats the request cannot tell it from one that was sent.
    if (name !== 'state') assert.equal(idOf(await way(`t${name}`)), idOf(first))
  }
  assert.equal(ids.size, 4)
  assert.deepEqual(await history(bob, roomId), before)
  assert.equal((await bob.call(sync, { query: { since } })).rooms?.join?.[roomId], undefined)
})

withRecorder('what a module lets fail softly is kept, but shown to nobody', async (homeserver, recorder) => {
  const [alice, bob] = [await homeserver.register('alice'), await homeserver.register('bob')]
  const roomId = await roomOf([alice, bob])
  const target = await say(alice, roomId, 'kept')
  const before = await history(bob, roomId)
  const { next_batch: since } = await bob.call(sync)
  recorder.answer('checkEventForSpam', softFail)
  const ways = waysOf(alice, roomId, target)
  const ids: string[] = []
  for (const [name, way] of Object.entries(ways)) {
    const first = await way(`t${name}`)
    assert.equal(first.status, 200, name)
    ids.push(idOf(first))
    if (name !== 'state') assert.equal(idOf(await way(`t${name}`)), idOf(first))
  }
  recorder.answer('checkEventForSpam', undefined)
  const STORED = row({ eventId: text(), isSoftFailed: boolean(), json: text() })
  const stored = await homeserver.services.db.all(
    STORED,
    sql`SELECT e.event_id, e.is_soft_failed, j.json FROM events AS e JOIN event_json AS j ON j.event = e.event
      WHERE e.is_soft_failed ORDER BY e.event`,
  )
  assert.deepEqual(
    stored.map(({ eventId }) => eventId),
    ids,
  )
  const unseen = async () => {
    assert.deepEqual(await history(bob, roomId), before)
    for (const client of [alice, bob]) {
      for (const eventId of ids)
        assert.equal((await client.refused(getOneRoomEvent, { params: { roomId, eventId } })).status, 404)
      const { rooms } = await client.call(sync, { query: { since } })
      assert.equal(rooms?.join?.[roomId], undefined)
    }
    const topic = { roomId, eventType: 'm.room.topic', stateKey: '' }
    assert.equal((await bob.refused(getRoomStateWithKey, { params: topic })).status, 404)
    const { content } = await bob.call(getOneRoomEvent, { params: { roomId, eventId: target } })
    assert.equal(content?.['body'], 'kept')
  }
  await unseen()
  await homeserver.restart()
  await unseen()
  // Nothing is built on them.
  const next = await say(alice, roomId, 'next')
  const [json] = await homeserver.services.db.all(
    STORED,
    sql`SELECT e.event_id, e.is_soft_failed, j.json FROM events AS e JOIN event_json AS j ON j.event = e.event
      WHERE e.event_id = ${next}`,
  )
  assert.deepEqual(JSON.parse(json?.json ?? '{}').prev_events, [target])
  assert.deepEqual(await history(bob, roomId), [...before, next])
})

withRecorder(
  'a membership that comes as state is refused rather than kept for nobody',
  async (homeserver, recorder) => {
    const alice = await homeserver.register('alice')
    const roomId = await roomOf([alice])
    recorder.answer('checkEventForSpam', softFail)
    const params = { roomId, eventType: 'm.room.member', stateKey: '@bob:example.org' }
    assert.equal((await alice.refused(setRoomStateWithKey, { params, body: { membership: 'ban' } })).status, 403)
  },
)
