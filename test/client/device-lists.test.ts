import assert from 'node:assert/strict'
import { updateDevice } from '#api/client/device-management.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { getKeysChanges, uploadKeys } from '#api/client/keys.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { logout } from '#api/client/logout.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { anotherDevice, deviceKeysOf, publishCrossSigning, publishDevice, syncFrom } from '#test/helpers/encryption.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, setState } from '#test/helpers/rooms.ts'

const listsFrom = async (client: TestClient, since: string) => {
  const { device_lists: lists, next_batch } = await syncFrom(client, since)
  const changes = await client.call(getKeysChanges, { query: { from: since, to: next_batch } })
  const found = { changed: lists?.changed?.toSorted() ?? [], left: lists?.left?.toSorted() ?? [] }
  assert.deepEqual({ changed: changes.changed?.toSorted(), left: changes.left?.toSorted() }, found)
  return found
}
const ids = (...clients: readonly TestClient[]) => clients.map(({ userId }) => userId).sort()
const tokenOf = async (client: TestClient) => (await syncFrom(client)).next_batch

eachHomeserver('whoever shares a room hears of new keys, other names and gone devices', async (test) => {
  const [alice, bob, carol] = [await test.register('alice'), await test.register('bob'), await test.register('carol')]
  await roomOf([alice, bob])
  const changes: readonly (() => Promise<unknown>)[] = [
    () => publishDevice(alice),
    () => publishCrossSigning(alice),
    async () => (await anotherDevice(test, alice)).call(logout),
    () => alice.call(updateDevice, { params: { deviceId: alice.deviceId }, body: { display_name: 'Laptop' } }),
  ]
  for (const change of changes) {
    const [atAlice, atBob, atCarol] = [await tokenOf(alice), await tokenOf(bob), await tokenOf(carol)]
    const waiting = syncFrom(bob, atBob, 30_000)
    await change()
    assert.deepEqual((await waiting).device_lists, { changed: ids(alice), left: [] })
    assert.deepEqual(await listsFrom(bob, atBob), { changed: ids(alice), left: [] })
    assert.deepEqual(await listsFrom(alice, atAlice), { changed: ids(alice), left: [] })
    assert.deepEqual(await listsFrom(carol, atCarol), { changed: [], left: [] })
    await test.restart()
    assert.deepEqual(await listsFrom(bob, atBob), { changed: ids(alice), left: [] })
    assert.deepEqual(await listsFrom(carol, atCarol), { changed: [], left: [] })
  }
})

eachHomeserver('keys that are uploaded again unchanged are no change', async (test) => {
  const alice = await test.register('alice')
  const { keys } = deviceKeysOf(alice)
  await alice.call(uploadKeys, { body: { device_keys: keys } })
  const since = await tokenOf(alice)
  await alice.call(uploadKeys, { body: { device_keys: keys } })
  assert.deepEqual(await listsFrom(alice, since), { changed: [], left: [] })
})

eachHomeserver('who comes is to be looked at, who goes need not be watched', async (test) => {
  const names = ['alice', 'bob', 'carol', 'dora']
  const [alice, bob, carol, dora] = (await Promise.all(names.map((name) => test.register(name)))) as [
    TestClient,
    TestClient,
    TestClient,
    TestClient,
  ]
  const roomId = await roomOf([alice, bob], { preset: 'public_chat' })
  const both = await roomOf([bob, carol], { preset: 'public_chat' })
  let [a, b, c] = [await tokenOf(alice), await tokenOf(bob), await tokenOf(carol)]
  await carol.call(joinRoomById, { params: { roomId } })
  await dora.call(joinRoomById, { params: { roomId } })
  const check = async () => {
    assert.deepEqual(await listsFrom(alice, a), { changed: ids(carol, dora), left: [] })
    assert.deepEqual(await listsFrom(bob, b), { changed: ids(carol, dora), left: [] })
    assert.deepEqual(await listsFrom(carol, c), { changed: ids(alice, bob, dora), left: [] })
  }
  await check()
  await test.restart()
  await check()

  ;[a, b, c] = [await tokenOf(alice), await tokenOf(bob), await tokenOf(carol)]
  const atDora = await tokenOf(dora)
  await carol.call(leaveRoom, { params: { roomId } })
  await dora.call(leaveRoom, { params: { roomId } })
  const checkLeft = async () => {
    assert.deepEqual(await listsFrom(alice, a), { changed: [], left: ids(carol, dora) })
    // Bob and Carol share another room.
    assert.deepEqual(await listsFrom(bob, b), { changed: [], left: ids(dora) })
    assert.deepEqual(await listsFrom(carol, c), { changed: [], left: ids(alice, dora) })
    assert.deepEqual(await listsFrom(dora, atDora), { changed: [], left: ids(alice, bob, carol) })
  }
  await checkLeft()
  await test.restart()
  await checkLeft()
  assert.ok(both)
})

eachHomeserver('invitations that come to nothing and other profiles are no changes', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const roomId = await roomOf([alice])
  const [a, b] = [await tokenOf(alice), await tokenOf(bob)]
  const invite = { membership: 'invite' }
  await setState(alice, roomId, { type: 'm.room.member', stateKey: bob.userId, content: invite })
  await bob.call(leaveRoom, { params: { roomId } })
  await setState(alice, roomId, {
    type: 'm.room.member',
    stateKey: alice.userId,
    content: { membership: 'join', displayname: 'A' },
  })
  await say(alice, roomId, 'hello')
  for (const again of [false, true]) {
    if (again) await test.restart()
    assert.deepEqual(await listsFrom(alice, a), { changed: [], left: [] })
    assert.deepEqual(await listsFrom(bob, b), { changed: [], left: [] })
  }
})

eachHomeserver('tokens that are none are refused, those of another life mean everybody', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  await roomOf([alice, bob])
  const to = await tokenOf(alice)
  for (const query of [
    { from: 'x', to },
    { from: to, to: 'x' },
  ]) {
    assert.equal((await alice.refused(getKeysChanges, { query })).errcode, 'M_INVALID_PARAM')
  }
  assert.equal((await alice.refused(getKeysChanges, { query: { from: to } })).errcode, 'M_MISSING_PARAM')
  const foreign = to.replace(/^(y1_)[0-9a-z]+_/, '$1zzz_')
  assert.notEqual(foreign, to)
  const { changed } = await alice.call(getKeysChanges, { query: { from: foreign, to } })
  assert.deepEqual(changed, ids(bob))
})

eachHomeserver('a user of many rooms hears of a change in one of them as one of few does', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  for (let n = 0; n < 40; n++) await roomOf([alice])
  await roomOf([alice, bob])
  const since = await tokenOf(alice)
  await publishDevice(bob)
  assert.deepEqual(await listsFrom(alice, since), { changed: ids(bob), left: [] })
})
