import assert from 'node:assert/strict'
import { Change, LOG_KIND } from '#storage/change.ts'
import { eachDatabase, type TestDatabase } from '#storage/testing/each-database.ts'
import { deviceAdded } from './devices.ts'
import { fallbackKeySet, fallbackKeysOf, fallbackKeysRemoved, fallbackKeyTaken } from './fallback-keys.ts'
import { userEntries } from './log.ts'
import {
  claimableKeys,
  claimedKeyForgotten,
  oneTimeKeyAdded,
  oneTimeKeyChangesRemoved,
  oneTimeKeyClaimed,
  oneTimeKeyCounts,
  oneTimeKeyFits,
  oneTimeKeysChanged,
  oneTimeKeysOf,
  oneTimeKeysRemoved,
} from './one-time-keys.ts'

const user = 7
const deviceId = 'D\0\ud800'
const algorithm = 'signed_curve25519'
const device = { user, deviceId }

const upload = (keys: Readonly<Record<string, string>>, of = algorithm): Change => {
  const change = new Change()
  const pos = change.log({ kind: LOG_KIND.oneTimeKeys, user })
  for (const [keyId, key] of Object.entries(keys)) {
    change.require(oneTimeKeyFits, { ...device, algorithm: of, keyId, key })
    change.write(oneTimeKeyAdded, { ...device, algorithm: of, keyId, key, pos, isClaimed: false })
  }
  return change.write(oneTimeKeysChanged, { ...device, pos })
}

const claim = async ({ commit }: TestDatabase): Promise<string | undefined> => {
  const wanted = { ...device, algorithm }
  const outcome = await commit(new Change().write(fallbackKeyTaken, wanted).write(oneTimeKeyClaimed, wanted))
  assert.ok(outcome.ok)
  const [fallback, ...more] = outcome.returned(fallbackKeyTaken)
  const [key, ...others] = outcome.returned(oneTimeKeyClaimed)
  assert.deepEqual([more, others, fallback !== undefined && key !== undefined], [[], [], false])
  return (key ?? fallback)?.keyId
}

eachDatabase('keys are given away once each, in the order of their uploads, then the fallback key', async (test) => {
  const { commit, db } = test
  await commit(upload({ z: '"1"', y: '"2"' }))
  await commit(upload({ a: '"3"' }))
  await commit(upload({ other: '"4"' }, 'curve25519'))
  const fallback = { ...device, algorithm, keyId: 'f', key: '"5"', isUsed: false }
  await commit(new Change().write(fallbackKeySet, fallback))
  const claimed = await Promise.all(Array.from({ length: 5 }, () => claim(test)))
  assert.deepEqual(claimed, ['y', 'z', 'a', 'f', 'f'])
  assert.deepEqual(await oneTimeKeyCounts(db, device), [{ algorithm: 'curve25519', count: 1 }])
  await commit(new Change().write(fallbackKeySet, fallback))
  assert.deepEqual(await fallbackKeysOf(db, device), [{ ...fallback, isUsed: true }])
  await commit(new Change().write(fallbackKeySet, { ...fallback, keyId: 'g' }))
  assert.deepEqual(await fallbackKeysOf(db, device), [{ ...fallback, keyId: 'g', isUsed: false }])
})

eachDatabase('an upload that is repeated brings nothing back that was claimed', async (test) => {
  const { commit, db } = test
  await commit(upload({ a: '1', b: '2' }))
  assert.equal(await claim(test), 'a')
  assert.ok((await commit(upload({ a: '1', b: '2', c: '3' }))).ok)
  assert.deepEqual(await Promise.all([claim(test), claim(test), claim(test)]), ['b', 'c', undefined])
  await commit(new Change().write(claimedKeyForgotten, { ...device, algorithm, keyId: 'b' }))
  assert.deepEqual((await oneTimeKeysOf(db, device, 10)).map(({ keyId }) => keyId).sort(), ['a', 'c'])
  assert.equal((await oneTimeKeysOf(db, device, 1)).length, 1)
})

eachDatabase('another key of an ID that waits to be claimed is refused with all that came with it', async (test) => {
  const { commit, db } = test
  await commit(upload({ a: '1' }))
  assert.deepEqual(await commit(upload({ b: '2', a: '3' })), { ok: false, refusedBy: 'one_time_key_fits' })
  assert.deepEqual(await oneTimeKeyCounts(db, device), [{ algorithm, count: 1 }])
})

eachDatabase('of changes of keys the log keeps the last, and none when the device goes', async (test) => {
  const { commit, db } = test
  const logged = () => userEntries(db, user, { since: 0, upTo: 1e9, limit: 10 })
  await commit(upload({ a: '1' }))
  await commit(upload({ b: '1' }))
  assert.equal((await logged()).length, 1)
  const fallback = { ...device, algorithm, keyId: 'f', key: '"5"', isUsed: false }
  await commit(new Change().write(fallbackKeySet, fallback))
  const gone = new Change().write(oneTimeKeysRemoved, device).write(fallbackKeysRemoved, device)
  await commit(gone.write(oneTimeKeyChangesRemoved, device))
  assert.deepEqual(await logged(), [])
  assert.deepEqual([await oneTimeKeysOf(db, device, 10), await fallbackKeysOf(db, device)], [[], []])
})

eachDatabase('what can be claimed is told by device', async ({ commit, db }) => {
  const change = new Change()
  for (const id of [deviceId, 'E', 'F']) {
    change.write(deviceAdded, {
      user,
      deviceId: id,
      displayName: undefined,
      createdTs: 1,
      lastSeenTs: undefined,
      lastSeenIp: undefined,
      lastSeenUserAgent: undefined,
    })
  }
  change.write(fallbackKeySet, { user, deviceId: 'E', algorithm, keyId: 'f', key: '"5"', isUsed: true })
  await commit(change)
  await commit(upload({ a: '1' }))
  const found = await claimableKeys(db, algorithm, { users: [user], deviceIds: [deviceId, 'E', 'F', 'G'] })
  assert.deepEqual(
    found.map((one) => [one.deviceId, one.hasOneTimeKey, one.fallbackKeyId, one.isFallbackUsed]).sort(),
    [
      [deviceId, true, undefined, undefined],
      ['E', false, 'f', true],
      ['F', false, undefined, undefined],
    ].sort(),
  )
})
