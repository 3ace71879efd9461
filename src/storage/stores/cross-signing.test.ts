import assert from 'node:assert/strict'
import { Change } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  crossSigningKeyRemoved,
  crossSigningKeySet,
  crossSigningKeysOf,
  crossSigningUnchanged,
  masterKeyIs,
  publicKeyNoDevice,
} from './cross-signing.ts'
import { deviceAdded, deviceIdNoKey } from './devices.ts'
import { keySignatureSet, keySignaturesRemoved, ownSignaturesRemoved, visibleSignatures } from './key-signatures.ts'

const none = { user: 1, master: '', selfSigning: '', userSigning: '' }
const key = (usage: 'master' | 'self_signing' | 'user_signing', publicKey: string) => ({
  user: 1,
  usage,
  publicKey,
  key: `{"${usage}":1}`,
})

eachDatabase('of two who set keys at once the second is refused', async ({ db, commit }) => {
  const first = new Change().require(crossSigningUnchanged, none).write(crossSigningKeySet, key('master', 'M'))
  first.write(crossSigningKeySet, key('self_signing', 'S'))
  const second = new Change().require(crossSigningUnchanged, none).write(crossSigningKeySet, key('master', 'N'))
  const outcomes = await Promise.all([commit(first), commit(second)])
  assert.deepEqual([outcomes[0]?.ok, outcomes[1]], [true, { ok: false, refusedBy: 'cross_signing_unchanged' }])
  assert.deepEqual((await crossSigningKeysOf(db, [1, 2])).map(({ publicKey }) => publicKey).sort(), ['M', 'S'])
  const third = new Change().require(crossSigningUnchanged, { ...none, master: 'M', selfSigning: 'S' })
  third.write(crossSigningKeyRemoved, { user: 1, usage: 'self_signing' }).write(crossSigningKeySet, key('master', 'N'))
  assert.ok((await commit(third)).ok)
  assert.deepEqual(await crossSigningKeysOf(db, [1]), [key('master', 'N')])
})

eachDatabase('what is written for a master key is refused under another one', async ({ commit }) => {
  const holds = async (publicKey: string) =>
    (await commit(new Change().require(masterKeyIs, { user: 1, publicKey }))).ok
  assert.equal(await holds('M'), false)
  await commit(
    new Change().write(crossSigningKeySet, key('master', 'M')).write(crossSigningKeySet, key('self_signing', 'S')),
  )
  assert.deepEqual([await holds('M'), await holds('S')], [true, false])
})

eachDatabase('no device gets the ID of a key, and no key that of a device', async ({ commit }) => {
  const device = (deviceId: string) =>
    new Change().require(deviceIdNoKey, { user: 1, deviceId }).write(deviceAdded, {
      user: 1,
      deviceId,
      displayName: undefined,
      createdTs: 1,
      lastSeenTs: undefined,
      lastSeenIp: undefined,
      lastSeenUserAgent: undefined,
    })
  const keys = (publicKey: string) =>
    new Change()
      .require(crossSigningUnchanged, none)
      .require(publicKeyNoDevice, { user: 1, publicKey })
      .write(crossSigningKeySet, key('master', publicKey))
  const outcomes = await Promise.all([commit(device('A')), commit(keys('A')), commit(keys('B')), commit(device('B'))])
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.refusedBy)),
    ['ok', 'public_key_no_device', 'ok', 'device_id_no_key'],
  )
})

eachDatabase(
  'signatures are seen by those who made them and by all who see what is signed by its owner',
  async (test) => {
    const { db, commit } = test
    const signature = (signedUser: number, target: string, signer: number, keyId: string) => ({
      signedUser,
      target,
      signer,
      keyId,
      signature: `${signer} on ${target}`,
    })
    const all = [
      signature(1, 'D', 1, 'ed25519:S'),
      signature(1, 'M', 1, 'ed25519:D'),
      signature(1, 'M', 2, 'ed25519:U'),
      signature(1, 'M', 3, 'ed25519:V'),
      signature(4, 'D', 4, 'ed25519:S'),
    ]
    const change = new Change()
    for (const one of all) change.write(keySignatureSet, one)
    await commit(change)
    const seen = async (viewer: number) =>
      (await visibleSignatures(db, [1], { viewer, limit: 10 })).map(({ keyId }) => keyId).sort()
    assert.deepEqual(await seen(1), ['ed25519:D', 'ed25519:S'])
    assert.deepEqual(await seen(2), ['ed25519:D', 'ed25519:S', 'ed25519:U'])
    await commit(new Change().write(ownSignaturesRemoved, { user: 1, keyId: 'ed25519:S' }))
    assert.deepEqual(await seen(1), ['ed25519:D'])
    await commit(new Change().write(keySignaturesRemoved, { signedUser: 1, target: 'M' }))
    assert.deepEqual(await seen(2), [])
    assert.equal((await visibleSignatures(db, [4], { viewer: 1, limit: 10 })).length, 1)
  },
)
