import assert from 'node:assert/strict'
import {
  getAccountData,
  getAccountDataPerRoom,
  setAccountData,
  setAccountDataPerRoom,
} from '#api/client/account-data.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { sync } from '#api/client/sync.ts'
import { setRoomTag } from '#api/client/tags.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'

type Query = Readonly<Record<string, string>>
const look = (client: TestClient, query: Query = {}) => client.call(sync, { query })
type Events = { readonly events?: readonly { readonly type: string; readonly content: JsonObject }[] | undefined }
const contents = (part: Events | undefined, ...hidden: string[]) =>
  Object.fromEntries(
    (part?.events ?? []).filter(({ type }) => !hidden.includes(type)).map(({ type, content }) => [type, content]),
  )

const keep = (client: TestClient, type: string, body: JsonObject, roomId?: string) =>
  roomId === undefined
    ? client.call(setAccountData, { params: { userId: client.userId, type }, body })
    : client.call(setAccountDataPerRoom, { params: { userId: client.userId, type, roomId }, body })
const kept = (client: TestClient, type: string, roomId?: string) =>
  roomId === undefined
    ? client.call(getAccountData, { params: { userId: client.userId, type } })
    : client.call(getAccountDataPerRoom, { params: { userId: client.userId, type, roomId } })

eachHomeserver('account data come back as they were set, also after a restart', async ({ register, restart }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const strange = { 'a\0\ud800': ['\udc00\0', { '': null }], n: -0.5, __proto__: undefined as never, z: '\u2028' }
  await keep(alice, 'org.example.tést', strange)
  await keep(alice, 'org.example.tést', { in: 'the room' }, roomId)
  await keep(alice, 'a\0b', {})
  await restart()
  assert.deepEqual(await kept(alice, 'org.example.tést'), JSON.parse(JSON.stringify(strange)))
  assert.deepEqual(await kept(alice, 'org.example.tést', roomId), { in: 'the room' })
  assert.deepEqual(await kept(alice, 'a\0b'), {})
  await keep(alice, 'org.example.tést', { other: true })
  assert.deepEqual(await kept(alice, 'org.example.tést'), { other: true })
})

eachHomeserver('numbers in account data lose nothing', async ({ register, url }) => {
  const alice = await register('alice')
  const params = { userId: alice.userId, type: 'org.example.numbers' }
  const raw = '{"a":123456789012345678901234567890,"b":0.10,"c":1e400,"__proto__":{"d":1}}'
  await alice.call(setAccountData, { params, raw })
  const answer = await fetch(`${url}/_matrix/client/v3/user/${alice.userId}/account_data/org.example.numbers`, {
    headers: { authorization: `Bearer ${alice.accessToken}` },
  })
  const text = await answer.text()
  for (const part of ['123456789012345678901234567890', '0.10', '1e400', '"__proto__":{"d":1}']) {
    assert.ok(text.includes(part), text)
  }
})

eachHomeserver('account data are for nobody but their user', async ({ register, stranger }) => {
  const alice = await register('alice')
  const bob = await register('bob', { admin: true })
  const roomId = await roomOf([alice, bob])
  await keep(alice, 't', { secret: true })
  await keep(alice, 't', { secret: true }, roomId)
  const params = { userId: alice.userId, type: 't', roomId }
  for (const endpoint of [getAccountData, getAccountDataPerRoom]) {
    const refusal = await bob.refused(endpoint, { params })
    assert.deepEqual([refusal.status, refusal.errcode], [403, 'M_FORBIDDEN'])
    assert.equal((await stranger().refused(endpoint, { params })).errcode, 'M_MISSING_TOKEN')
  }
  for (const endpoint of [setAccountData, setAccountDataPerRoom]) {
    const refusal = await bob.refused(endpoint, { params, body: {} })
    assert.deepEqual([refusal.status, refusal.errcode], [403, 'M_FORBIDDEN'])
  }
  assert.equal(
    (await bob.refused(getAccountData, { params: { ...params, userId: bob.userId } })).errcode,
    'M_NOT_FOUND',
  )
  const seen = await look(bob)
  assert.deepEqual(contents(seen.account_data, 'm.push_rules'), {})
  assert.deepEqual(contents(seen.rooms?.join?.[roomId]?.account_data), {})
})

eachHomeserver('what cannot be account data is refused', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const params = { userId: alice.userId, type: 't', roomId }
  for (const [raw, errcode] of [
    ['[]', 'M_BAD_JSON'],
    ['7', 'M_BAD_JSON'],
    ['null', 'M_BAD_JSON'],
    ['{', 'M_NOT_JSON'],
    ['', 'M_NOT_JSON'],
  ] as const) {
    for (const endpoint of [setAccountData, setAccountDataPerRoom]) {
      const refusal = await alice.refused(endpoint, { params, raw })
      assert.deepEqual([refusal.status, refusal.errcode], [400, errcode], raw)
    }
  }
  const bad = { ...params, roomId: '@notaroomid:example.org' }
  assert.equal((await alice.refused(setAccountDataPerRoom, { params: bad, body: {} })).errcode, 'M_INVALID_PARAM')
  assert.equal((await alice.refused(getAccountDataPerRoom, { params: bad })).errcode, 'M_INVALID_PARAM')
  const long = { ...params, type: 'é'.repeat(128) }
  assert.equal((await alice.refused(setAccountData, { params: long, body: {} })).errcode, 'M_INVALID_PARAM')
})

eachHomeserver('rooms that a user never had to do with take no account data', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice])
  for (const room of [roomId, '!nowhere:example.org']) {
    const params = { userId: bob.userId, type: 't', roomId: room }
    const refusal = await bob.refused(setAccountDataPerRoom, { params, body: {} })
    assert.deepEqual([refusal.status, refusal.errcode], [403, 'M_FORBIDDEN'])
    assert.equal((await bob.refused(getAccountDataPerRoom, { params })).errcode, 'M_NOT_FOUND')
    const tag = await bob.refused(setRoomTag, { params: { ...params, tag: 'u.x' }, body: {} })
    assert.equal(tag.errcode, 'M_FORBIDDEN')
  }
})

eachHomeserver('what the server keeps itself cannot be set, only read', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  for (const type of ['m.fully_read', 'm.push_rules']) {
    for (const endpoint of [setAccountData, setAccountDataPerRoom]) {
      const refusal = await alice.refused(endpoint, { params: { userId: alice.userId, type, roomId }, body: {} })
      assert.deepEqual([refusal.status, refusal.errcode], [405, 'M_BAD_JSON'])
    }
  }
  const rules = (await kept(alice, 'm.push_rules')) as { global: { underride: readonly { rule_id: string }[] } }
  assert.ok(rules.global.underride.some(({ rule_id }) => rule_id === '.m.rule.message'))
})

eachHomeserver('a user keeps at most so many types about a room', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  for (let n = 0; n < 200; n += 20) {
    await Promise.all(Array.from({ length: 20 }, (_, i) => keep(alice, `t${n + i}`, { n }, roomId)))
  }
  const params = { userId: alice.userId, type: 'one more', roomId }
  const refusal = await alice.refused(setAccountDataPerRoom, { params, body: {} })
  assert.deepEqual([refusal.status, refusal.errcode], [413, 'M_TOO_LARGE'])
  await keep(alice, 't7', { changed: true }, roomId)
  for (const n of [1, 2]) await keep(alice, `large${n}`, { x: 'x'.repeat(1_900_000) })
  assert.deepEqual(await kept(alice, 't7', roomId), { changed: true })
})

eachHomeserver('a sync has all account data first and then what changed', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const other = await roomOf([alice])
  await keep(alice, 'a', { n: 1 })
  await keep(alice, 'b', { n: 2 })
  await keep(alice, 'm.marked_unread', { unread: true }, roomId)
  const first = await look(alice)
  assert.deepEqual(contents(first.account_data, 'm.push_rules'), { a: { n: 1 }, b: { n: 2 } })
  assert.ok(contents(first.account_data)['m.push_rules']?.['global'])
  assert.deepEqual(contents(first.rooms?.join?.[roomId]?.account_data), { 'm.marked_unread': { unread: true } })
  const waiting = look(alice, { since: first.next_batch, timeout: '30000' })
  await keep(alice, 'a', { n: 3 })
  const second = await waiting
  assert.deepEqual(contents(second.account_data), { a: { n: 3 } })
  assert.equal(second.rooms, undefined)
  const waitingAgain = look(alice, { since: second.next_batch, timeout: '30000' })
  await alice.call(setRoomTag, { params: { userId: alice.userId, roomId, tag: 'u.x' }, body: { order: 0.25 } })
  const third = await waitingAgain
  assert.equal(third.account_data, undefined)
  assert.deepEqual(contents(third.rooms?.join?.[roomId]?.account_data), {
    'm.tag': { tags: { 'u.x': { order: 0.25 } } },
  })
  assert.equal(third.rooms?.join?.[other], undefined)
  const quiet = await look(alice, { since: third.next_batch })
  assert.deepEqual([quiet.account_data, quiet.rooms], [undefined, undefined])
  assert.deepEqual(contents((await look(alice, { since: first.next_batch })).account_data), { a: { n: 3 } })
})

eachHomeserver('account data reach clients with tokens from before a restart', async ({ register, restart }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const { next_batch: since } = await look(alice)
  await keep(alice, 'a', { n: 1 })
  await keep(alice, 'r', { n: 2 }, roomId)
  await restart()
  const later = await look(alice, { since })
  assert.deepEqual(contents(later.account_data), { a: { n: 1 } })
  assert.deepEqual(contents(later.rooms?.join?.[roomId]?.account_data), { r: { n: 2 } })
})

eachHomeserver('account data of a room that was left are shown with it', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  await keep(alice, 'r', { n: 2 }, roomId)
  await alice.call(leaveRoom, { params: { roomId } })
  const filter = JSON.stringify({ room: { include_leave: true } })
  const left = (await look(alice, { filter })).rooms?.leave?.[roomId]
  assert.deepEqual(contents(left?.account_data), { r: { n: 2 } })
})

eachHomeserver('filters say which account data a client wants', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  for (const type of ['a.one', 'a.two', 'b']) {
    await keep(alice, type, {})
    await keep(alice, type, {}, roomId)
  }
  const filtered = async (filter: JsonObject) => {
    const answer = await look(alice, { filter: JSON.stringify(filter) })
    const types = (part: Events | undefined) => Object.keys(contents(part)).sort()
    return [types(answer.account_data), types(answer.rooms?.join?.[roomId]?.account_data)]
  }
  assert.deepEqual(await filtered({ account_data: { types: ['a.*'], not_types: ['a.two'] } }), [
    ['a.one'],
    ['a.one', 'a.two', 'b'],
  ])
  assert.deepEqual(await filtered({ room: { account_data: { types: ['b'] } } }), [
    ['a.one', 'a.two', 'b', 'm.push_rules'],
    ['b'],
  ])
  assert.deepEqual(await filtered({ account_data: { types: [] }, room: { account_data: { not_rooms: [roomId] } } }), [
    [],
    [],
  ])
})
