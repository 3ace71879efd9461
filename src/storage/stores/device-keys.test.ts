import assert from 'node:assert/strict'
import { Change } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  deviceExists,
  deviceKeysAre,
  deviceKeysOf,
  deviceKeysOfDevices,
  deviceKeysOfUsers,
  deviceKeysRemoved,
  deviceKeysSet,
  devicesNamed,
  devicesOfUsers,
} from './device-keys.ts'
import { deviceAdded, deviceRemoved } from './devices.ts'

const device = (user: number, deviceId: string, displayName?: string) => ({
  user,
  deviceId,
  displayName,
  createdTs: 1,
  lastSeenTs: undefined,
  lastSeenIp: undefined,
  lastSeenUserAgent: undefined,
})

eachDatabase('what is written for keys is refused once they are others or gone', async ({ commit }) => {
  const keys = { user: 1, deviceId: 'A\0\ud800', keys: '{"x":"\\u0000\\ud800"}' }
  const holds = async () => (await commit(new Change().require(deviceKeysAre, keys))).ok
  assert.equal(await holds(), false)
  await commit(new Change().write(deviceKeysSet, keys))
  assert.equal(await holds(), true)
  const removed = new Change().write(deviceKeysRemoved, keys)
  const outcomes = await Promise.all([commit(removed), holds()])
  assert.deepEqual([outcomes[0].ok, outcomes[1]], [true, false])
  await commit(new Change().write(deviceKeysSet, { ...keys, keys: '{}' }))
  assert.equal(await holds(), false)
})

eachDatabase('keys of devices are read page by page, with the names of the devices', async ({ db, commit }) => {
  const change = new Change()
  for (const user of [1, 2, 3]) {
    for (const deviceId of ['B', 'A', 'A\0\ud800', 'no keys']) {
      change.write(deviceAdded, device(user, deviceId, deviceId === 'A' ? 'Phone' : undefined))
      if (deviceId !== 'no keys') change.write(deviceKeysSet, { user, deviceId, keys: `{"of":${user}}` })
    }
  }
  assert.ok((await commit(change)).ok)
  const first = await deviceKeysOfUsers(db, [1, 3, 9], { after: { user: 0, deviceId: '' }, limit: 4 })
  const last = first.at(-1)
  assert.ok(last)
  const second = await deviceKeysOfUsers(db, [1, 3, 9], { after: last, limit: 4 })
  assert.deepEqual(
    [...first, ...second].map((one) => [one.user, one.deviceId, one.displayName, one.keys]),
    [1, 3].flatMap((user) => [
      [user, 'A', 'Phone', `{"of":${user}}`],
      [user, 'A\0\ud800', undefined, `{"of":${user}}`],
      [user, 'B', undefined, `{"of":${user}}`],
    ]),
  )
  assert.deepEqual(
    (await deviceKeysOfDevices(db, 2, ['B', 'no keys', 'X'])).map(({ deviceId }) => deviceId),
    ['B'],
  )
  assert.equal((await devicesOfUsers(db, [1, 2], 100)).length, 8)
  assert.equal((await devicesOfUsers(db, [1, 2], 3)).length, 3)
  assert.deepEqual(
    (await devicesNamed(db, [1, 2, 9], { deviceIds: ['A\0\ud800', 'X'], limit: 10 })).map(({ user }) => user).sort(),
    [1, 2],
  )
})

eachDatabase('keys take the place of others, and go', async ({ db, commit }) => {
  const [user, deviceId] = [1, 'D']
  const set = (keys: string) => new Change().write(deviceKeysSet, { user, deviceId, keys })
  await Promise.all([commit(set('{"n":1}')), commit(set('{"n":2}'))])
  assert.equal((await deviceKeysOf(db, user, deviceId))?.keys, '{"n":2}')
  await commit(new Change().write(deviceKeysRemoved, { user, deviceId }))
  assert.equal(await deviceKeysOf(db, user, deviceId), undefined)
})

eachDatabase('nothing is written for a device that goes at the same time', async ({ db, commit }) => {
  const [user, deviceId] = [1, 'D']
  await commit(new Change().write(deviceAdded, device(user, deviceId)))
  const keys = { user, deviceId, keys: '{}' }
  const [, outcome] = await Promise.all([
    commit(new Change().write(deviceRemoved, { user, deviceId }).write(deviceKeysRemoved, { user, deviceId })),
    commit(new Change().require(deviceExists, { user, deviceId }).write(deviceKeysSet, keys)),
  ])
  assert.deepEqual(outcome, { ok: false, refusedBy: 'device_exists' })
  assert.equal(await deviceKeysOf(db, user, deviceId), undefined)
})
