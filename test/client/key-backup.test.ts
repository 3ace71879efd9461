import assert from 'node:assert/strict'
import {
  deleteRoomKeyBySessionId,
  deleteRoomKeys,
  deleteRoomKeysByRoomId,
  deleteRoomKeysVersion,
  getRoomKeyBySessionId,
  getRoomKeys,
  getRoomKeysByRoomId,
  getRoomKeysVersion,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
  putRoomKeys,
  putRoomKeysByRoomId,
  putRoomKeysVersion,
} from '#api/client/key-backup.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import type { JsonObject } from '#util/json.ts'

const algorithm = 'm.megolm_backup.v1.curve25519-aes-sha2'
const [ROOM, OTHER] = ['!room:example.org', '!other:example.org']

const begin = async (client: TestClient, auth_data: JsonObject = { public_key: 'abc' }) =>
  (await client.call(postRoomKeysVersion, { body: { algorithm, auth_data } })).version
const key = (first_message_index: number, forwarded_count = 0, is_verified = false, session_data: JsonObject = {}) => ({
  first_message_index,
  forwarded_count,
  is_verified,
  session_data,
})
const putOne = (client: TestClient, version: string, body: ReturnType<typeof key>, sessionId = 's') =>
  client.call(putRoomKeyBySessionId, { params: { roomId: ROOM, sessionId }, query: { version }, body })
const getOne = (client: TestClient, version: string, sessionId = 's') =>
  client.call(getRoomKeyBySessionId, { params: { roomId: ROOM, sessionId }, query: { version } })
const getAll = (client: TestClient, version: string) => client.call(getRoomKeys, { query: { version } })

eachHomeserver('versions are begun, told, changed and deleted', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const none = await alice.refused(getRoomKeysVersionCurrent)
  assert.deepEqual([none.status, none.errcode], [404, 'M_NOT_FOUND'])
  const first = await begin(alice, { odd: '\0\ud800', n: 1.5 })
  const second = await begin(alice)
  assert.notEqual(first, second)
  const info = { algorithm, auth_data: { odd: '\0\ud800', n: 1.5 }, count: 0, etag: '0', version: first }
  assert.deepEqual(await alice.call(getRoomKeysVersion, { params: { version: first } }), info)
  assert.equal((await alice.call(getRoomKeysVersionCurrent)).version, second)
  assert.equal((await bob.refused(getRoomKeysVersion, { params: { version: first } })).errcode, 'M_NOT_FOUND')

  const put = (version: string, body: object) => ({ params: { version }, body: body as never })
  const auth_data = { public_key: 'def' }
  await alice.call(putRoomKeysVersion, put(first, { algorithm, auth_data, version: first }))
  await alice.call(putRoomKeysVersion, put(second, { algorithm, auth_data }))
  assert.deepEqual((await alice.call(getRoomKeysVersionCurrent)).auth_data, auth_data)
  const other = await alice.refused(putRoomKeysVersion, put(first, { algorithm: 'other', auth_data }))
  assert.deepEqual([other.status, other.errcode], [400, 'M_INVALID_PARAM'])
  const wrong = await alice.refused(putRoomKeysVersion, put(first, { algorithm, auth_data, version: second }))
  assert.deepEqual([wrong.status, wrong.errcode], [400, 'M_INVALID_PARAM'])
  for (const version of ['99', 'x', '1e3', '-1', '0', '9'.repeat(30), '\0']) {
    assert.equal((await alice.refused(putRoomKeysVersion, put(version, { algorithm, auth_data }))).status, 404)
    assert.equal((await alice.refused(getRoomKeysVersion, { params: { version } })).status, 404)
    assert.equal((await alice.refused(deleteRoomKeysVersion, { params: { version } })).status, 404)
  }
  const large = await alice.refused(postRoomKeysVersion, { body: { algorithm, auth_data: { x: 'x'.repeat(70_000) } } })
  assert.equal(large.errcode, 'M_TOO_LARGE')

  await alice.call(deleteRoomKeysVersion, { params: { version: second } })
  await alice.call(deleteRoomKeysVersion, { params: { version: second } })
  await test.restart()
  assert.equal((await alice.refused(getRoomKeysVersion, { params: { version: second } })).status, 404)
  assert.equal((await alice.refused(putRoomKeysVersion, put(second, { algorithm, auth_data }))).status, 404)
  assert.equal((await alice.call(getRoomKeysVersionCurrent)).version, first)
  assert.equal(await begin(alice), '3')
})

eachHomeserver('versions that are begun at once are different ones', async ({ register }) => {
  const alice = await register('alice')
  const versions = await Promise.all(Array.from({ length: 10 }, () => begin(alice)))
  assert.equal(new Set(versions).size, 10)
})

eachHomeserver('keys are stored and told one by one, by room and all together', async (test) => {
  const alice = await test.register('alice')
  const version = await begin(alice)
  assert.deepEqual(await getAll(alice, version), { rooms: {} })
  const query = { version }
  assert.deepEqual(await putOne(alice, version, key(1, 0, false, { odd: '\0\ud800' }), 'a\0/b'), {
    count: 1,
    etag: '1',
  })
  const inRoom = await alice.call(putRoomKeysByRoomId, {
    params: { roomId: ROOM },
    query,
    body: { sessions: { s: key(2), t: key(3), 'a\0/b': key(1) } },
  })
  assert.deepEqual(inRoom, { count: 3, etag: '2' })
  const all = await alice.call(putRoomKeys, {
    query,
    body: { rooms: { [OTHER]: { sessions: { s: key(4), '\ud800': key(5) } }, [ROOM]: { sessions: {} } } },
  })
  assert.deepEqual(all, { count: 5, etag: '3' })
  const room = { s: key(2), t: key(3), 'a\0/b': key(1, 0, false, { odd: '\0\ud800' }) }
  await test.restart()
  assert.deepEqual(await getAll(alice, version), {
    rooms: { [ROOM]: { sessions: room }, [OTHER]: { sessions: { s: key(4), '\ud800': key(5) } } },
  })
  assert.deepEqual(await alice.call(getRoomKeysByRoomId, { params: { roomId: ROOM }, query }), { sessions: room })
  const empty = await alice.call(getRoomKeysByRoomId, { params: { roomId: '!none:example.org' }, query })
  assert.deepEqual(empty, { sessions: {} })
  assert.deepEqual(await getOne(alice, version, 'a\0/b'), key(1, 0, false, { odd: '\0\ud800' }))
  assert.equal(
    (await alice.refused(getRoomKeyBySessionId, { params: { roomId: ROOM, sessionId: 'x' }, query })).status,
    404,
  )
  const { count, etag } = await alice.call(getRoomKeysVersionCurrent)
  assert.deepEqual([count, etag], [5, '3'])
})

eachHomeserver('of two keys of a session the better one is kept', async ({ register }) => {
  const alice = await register('alice')
  const version = await begin(alice)
  const steps: readonly (readonly [ReturnType<typeof key>, boolean])[] = [
    [key(10, 5), true],
    [key(10, 5, false, { other: 1 }), false],
    [key(11, 0), false],
    [key(10, 6), false],
    [key(10, 4), true],
    [key(9, 9), true],
    [key(20, 20, true), true],
    [key(0, 0, false), false],
    [key(20, 19, true), true],
  ]
  let kept = key(0)
  let etag = 0
  for (const [next, isBetter] of steps) {
    if (isBetter) [kept, etag] = [next, etag + 1]
    assert.deepEqual(await putOne(alice, version, next), { count: 1, etag: String(etag) })
    assert.deepEqual(await getOne(alice, version), kept)
  }
})

eachHomeserver(
  'devices that upload at once keep the best key of each session, and the count is right',
  async (test) => {
    const alice = await test.register('alice')
    const version = await begin(alice)
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        alice.call(putRoomKeys, {
          query: { version },
          body: { rooms: { [ROOM]: { sessions: { s: key((n * 7) % 20), [`own ${n}`]: key(n) } } } },
        }),
      ),
    )
    assert.equal((await getOne(alice, version)).first_message_index, 0)
    assert.equal((await alice.call(getRoomKeysVersionCurrent)).count, 21)
    assert.equal(Object.keys((await getAll(alice, version)).rooms[ROOM]?.sessions ?? {}).length, 21)
  },
)

eachHomeserver('keys go into the current backup only', async ({ register }) => {
  const alice = await register('alice')
  const params = { roomId: ROOM, sessionId: 's' }
  const refused = async (version: string) => {
    const { status, errcode, body } = await alice.refused(putRoomKeyBySessionId, {
      params,
      query: { version },
      body: key(1),
    })
    return [status, errcode, body['current_version']]
  }
  assert.deepEqual(await refused('1'), [404, 'M_NOT_FOUND', undefined])
  const [first, second] = [await begin(alice), await begin(alice)]
  assert.deepEqual(await refused(first), [403, 'M_WRONG_ROOM_KEYS_VERSION', second])
  assert.deepEqual(await refused('77'), [404, 'M_NOT_FOUND', undefined])
  const all = await alice.refused(putRoomKeys, { query: { version: first }, body: { rooms: {} } })
  assert.deepEqual([all.status, all.errcode], [403, 'M_WRONG_ROOM_KEYS_VERSION'])
  await putOne(alice, second, key(1))
  await alice.call(deleteRoomKeysVersion, { params: { version: second } })
  assert.deepEqual(await refused(second), [404, 'M_NOT_FOUND', undefined])
  for (const endpoint of [getRoomKeys, deleteRoomKeys]) {
    assert.equal((await alice.refused(endpoint, { query: { version: second } })).errcode, 'M_NOT_FOUND')
  }
  await putOne(alice, first, key(1))
  assert.equal((await alice.refused(putRoomKeys, { body: { rooms: {} } })).errcode, 'M_MISSING_PARAM')
})

eachHomeserver('keys are deleted one by one, by room and all together', async ({ register }) => {
  const alice = await register('alice')
  const version = await begin(alice)
  const query = { version }
  const sessions = Object.fromEntries(['a', 'b', 'c'].map((id) => [id, key(1)]))
  await alice.call(putRoomKeys, { query, body: { rooms: { [ROOM]: { sessions }, [OTHER]: { sessions } } } })
  const one = { params: { roomId: ROOM, sessionId: 'b' }, query }
  assert.deepEqual(await alice.call(deleteRoomKeyBySessionId, one), { count: 5, etag: '2' })
  assert.deepEqual(await alice.call(deleteRoomKeyBySessionId, one), { count: 5, etag: '2' })
  assert.deepEqual(await alice.call(deleteRoomKeysByRoomId, { params: { roomId: ROOM }, query }), {
    count: 3,
    etag: '3',
  })
  assert.deepEqual(await getAll(alice, version), { rooms: { [OTHER]: { sessions } } })
  await begin(alice)
  assert.deepEqual(await alice.call(deleteRoomKeys, { query }), { count: 0, etag: '4' })
  assert.deepEqual(await getAll(alice, version), { rooms: {} })
  assert.equal((await alice.refused(deleteRoomKeys, { query: { version: '99' } })).status, 404)
})

eachHomeserver('a backup of more keys than are read at once is stored, told and deleted whole', async (test) => {
  const alice = await test.register('alice')
  const version = await begin(alice)
  const rooms = Object.fromEntries(
    Array.from({ length: 7 }, (_, room) => [
      `!r${room}:example.org`,
      { sessions: Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`s${n}`, key(n)])) },
    ]),
  )
  const { count } = await alice.call(putRoomKeys, { query: { version }, body: { rooms } })
  assert.equal(count, 2_100)
  assert.deepEqual(await getAll(alice, version), { rooms })
  const [deleted, stored] = await Promise.all([
    alice.call(deleteRoomKeys, { query: { version } }),
    putOne(alice, version, key(1)),
  ])
  const left = Object.keys((await getAll(alice, version)).rooms).length
  assert.equal((await alice.call(getRoomKeysVersionCurrent)).count, left)
  assert.ok(deleted.count <= 1 && stored.count >= 1)
  await alice.call(putRoomKeys, { query: { version }, body: { rooms } })
  await alice.call(deleteRoomKeysVersion, { params: { version } })
  assert.equal(await begin(alice), '2')
})

eachHomeserver('keys have bounds', async ({ register }) => {
  const alice = await register('alice')
  const version = await begin(alice)
  const refused = async (rooms: unknown) =>
    (await alice.refused(putRoomKeys, { query: { version }, body: { rooms } as never })).errcode
  assert.equal(await refused({ 'no room': { sessions: { s: key(1) } } }), 'M_INVALID_PARAM')
  assert.equal(await refused({ [ROOM]: { sessions: { '': key(1) } } }), 'M_INVALID_PARAM')
  assert.equal(await refused({ [ROOM]: { sessions: { ['x'.repeat(256)]: key(1) } } }), 'M_INVALID_PARAM')
  assert.equal(
    await refused({ [ROOM]: { sessions: { s: key(1, 0, true, { x: 'x'.repeat(70_000) }) } } }),
    'M_TOO_LARGE',
  )
  assert.equal(await refused({ [ROOM]: { sessions: { s: { ...key(1), is_verified: 'yes' } } } }), 'M_BAD_JSON')
  assert.ok(['M_BAD_JSON', 'M_INVALID_PARAM'].includes(await refused({ [ROOM]: { sessions: { s: key(1.5) } } })))
  assert.ok(['M_BAD_JSON', 'M_INVALID_PARAM'].includes(await refused({ [ROOM]: { sessions: { s: key(2 ** 60) } } })))
  assert.equal(await refused({ [ROOM]: { sessions: { s: {} } } }), 'M_MISSING_PARAM')
  assert.equal((await alice.call(getRoomKeysVersionCurrent)).count, 0)
})
