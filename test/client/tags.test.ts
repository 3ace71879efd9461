import assert from 'node:assert/strict'
import { getAccountDataPerRoom, setAccountDataPerRoom } from '#api/client/account-data.ts'
import { deleteRoomTag, getRoomTags, setRoomTag } from '#api/client/tags.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf } from '#test/helpers/rooms.ts'
import type { JsonObject } from '#util/json.ts'

const keep = (client: TestClient, type: string, body: JsonObject, roomId: string) =>
  client.call(setAccountDataPerRoom, { params: { userId: client.userId, type, roomId }, body })
const kept = (client: TestClient, type: string, roomId: string) =>
  client.call(getAccountDataPerRoom, { params: { userId: client.userId, type, roomId } })

eachHomeserver('a room has the tags that its user gave it', async ({ register, restart }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const params = { userId: alice.userId, roomId }
  const tags = async () => ((await alice.send(getRoomTags, { params })).body as { tags: Record<string, unknown> }).tags
  assert.deepEqual(await tags(), {})
  await alice.call(setRoomTag, { params: { ...params, tag: 'm.favourite' }, body: { order: 0.5, 'org.x': ['y'] } })
  await alice.call(setRoomTag, { params: { ...params, tag: 'u.Wörk\0/' }, body: {} })
  await alice.call(setRoomTag, { params: { ...params, tag: '__proto__' }, body: {} })
  await restart()
  assert.deepEqual(Object.keys(await tags()).sort(), ['__proto__', 'm.favourite', 'u.Wörk\0/'].sort())
  assert.deepEqual((await tags())['m.favourite'], { order: 0.5, 'org.x': ['y'] })
  await alice.call(setRoomTag, { params: { ...params, tag: 'm.favourite' }, body: { order: 1 } })
  for (const tag of ['u.Wörk\0/', '__proto__', 'u.never'])
    await alice.call(deleteRoomTag, { params: { ...params, tag } })
  assert.deepEqual(await tags(), { 'm.favourite': { order: 1 } })
  assert.deepEqual(await kept(alice, 'm.tag', roomId), { tags: { 'm.favourite': { order: 1 } } })
  const refusal = await alice.refused(setRoomTag, { params: { ...params, tag: 'é'.repeat(128) }, body: {} })
  assert.equal(refusal.errcode, 'M_INVALID_PARAM')
  const wrong = await alice.refused(setRoomTag, { params: { ...params, tag: 'x' }, body: { order: '1' as never } })
  assert.deepEqual([wrong.status, wrong.errcode], [400, 'M_BAD_JSON'])
})

eachHomeserver('tags that are changed at the same time do not lose one another', async ({ register }) => {
  const alice = await register('alice')
  const roomId = await roomOf([alice])
  const params = { userId: alice.userId, roomId }
  const names = Array.from({ length: 30 }, (_, n) => `u.${n}`)
  await Promise.all(names.map((tag) => alice.call(setRoomTag, { params: { ...params, tag }, body: {} })))
  assert.deepEqual(Object.keys((await alice.call(getRoomTags, { params })).tags ?? {}).sort(), names.toSorted())
  await Promise.all([
    ...names.slice(0, 20).map((tag) => alice.call(deleteRoomTag, { params: { ...params, tag } })),
    alice.call(setRoomTag, { params: { ...params, tag: 'u.new' }, body: {} }),
    ...names.map((type) => keep(alice, type, {}, roomId)),
  ])
  const left = Object.keys((await alice.call(getRoomTags, { params })).tags ?? {})
  assert.deepEqual(left.sort(), [...names.slice(20), 'u.new'].sort())
})

eachHomeserver('tags are for nobody but their user, and may be set whole', async ({ register }) => {
  const alice = await register('alice')
  const bob = await register('bob')
  const roomId = await roomOf([alice, bob])
  const params = { userId: alice.userId, roomId, tag: 'u.x' }
  assert.equal((await bob.refused(getRoomTags, { params })).errcode, 'M_FORBIDDEN')
  assert.equal((await bob.refused(setRoomTag, { params, body: {} })).errcode, 'M_FORBIDDEN')
  assert.equal((await bob.refused(deleteRoomTag, { params })).errcode, 'M_FORBIDDEN')
  for (const content of [{ tags: 7 }, { tags: { a: 5, 'u.y': {} }, more: true }, {}]) {
    await keep(alice, 'm.tag', content, roomId)
    const { tags } = await alice.call(getRoomTags, { params })
    assert.deepEqual(tags, 'more' in content ? { 'u.y': {} } : {})
  }
  await keep(alice, 'm.tag', { more: true }, roomId)
  await alice.call(setRoomTag, { params, body: {} })
  assert.deepEqual(await kept(alice, 'm.tag', roomId), { more: true, tags: { 'u.x': {} } })
})
