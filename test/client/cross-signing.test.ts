import assert from 'node:assert/strict'
import { uploadCrossSigningKeys, uploadCrossSigningSignatures } from '#api/client/cross-signing.ts'
import { queryKeys } from '#api/client/keys.ts'
import { logout } from '#api/client/logout.ts'
import type { TestClient } from '#test/helpers/client.ts'
import {
  anotherDevice,
  crossSigningKeysOf,
  newKey,
  publishCrossSigning,
  publishDevice,
  signed,
  syncFrom,
} from '#test/helpers/encryption.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { challenge, passwordAuth } from '#test/helpers/interactive-auth.ts'
import { roomOf } from '#test/helpers/rooms.ts'

const query = (client: TestClient, of: TestClient) =>
  client.call(queryKeys, { body: { device_keys: { [of.userId]: [] } } })

eachHomeserver('keys are told to everybody but the user-signing key', async ({ register }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const { body } = await publishCrossSigning(alice)
  const own = await query(alice, alice)
  assert.deepEqual(own.master_keys, { [alice.userId]: body.master_key })
  assert.deepEqual(own.self_signing_keys, { [alice.userId]: body.self_signing_key })
  assert.deepEqual(own.user_signing_keys, { [alice.userId]: body.user_signing_key })
  const others = await query(bob, alice)
  assert.deepEqual([others.master_keys, others.self_signing_keys], [own.master_keys, own.self_signing_keys])
  assert.deepEqual(others.user_signing_keys, {})
})

eachHomeserver('the first keys and the same again need no password, others do', async (test) => {
  const alice = await test.register('alice')
  const { body, master } = await publishCrossSigning(alice)
  await alice.call(uploadCrossSigningKeys, { body })
  await alice.call(uploadCrossSigningKeys, { body: { self_signing_key: body.self_signing_key } })
  const other = crossSigningKeysOf(alice).body
  const refused = await alice.refused(uploadCrossSigningKeys, { body: other })
  assert.equal(refused.status, 401)
  assert.deepEqual(refused.body['flows'], [{ stages: ['m.login.password'] }])
  // What was confirmed for some keys is no good for others.
  const { session } = await challenge(alice, uploadCrossSigningKeys, { body: other })
  const swapped = await alice.refused(uploadCrossSigningKeys, {
    body: { ...crossSigningKeysOf(alice).body, auth: { ...passwordAuth(alice), session } },
  })
  assert.deepEqual([swapped.status, swapped.errcode], [403, 'M_FORBIDDEN'])
  const wrong = await alice.refused(uploadCrossSigningKeys, { body: { ...other, auth: passwordAuth(alice, 'wrong') } })
  assert.equal(wrong.status, 401)
  const one = crossSigningKeysOf(alice, master).body.self_signing_key
  assert.equal((await alice.refused(uploadCrossSigningKeys, { body: { self_signing_key: one } })).status, 401)
  assert.deepEqual((await query(alice, alice)).master_keys, { [alice.userId]: body.master_key })

  await alice.call(uploadCrossSigningKeys, { body: { ...other, auth: passwordAuth(alice) } })
  await test.restart()
  assert.deepEqual((await query(alice, alice)).self_signing_keys, { [alice.userId]: other.self_signing_key })
  // With another master key alone the others, which it did not sign, are gone.
  const alone = { master_key: crossSigningKeysOf(alice).body.master_key, auth: passwordAuth(alice) }
  await alice.call(uploadCrossSigningKeys, { body: alone })
  const found = await query(alice, alice)
  assert.deepEqual([found.self_signing_keys, found.user_signing_keys], [{}, {}])
})

eachHomeserver('of two first uploads at once one counts, and the other needs a password', async ({ register }) => {
  const alice = await register('alice')
  const answers = await Promise.all(
    [1, 2, 3].map(() => alice.send(uploadCrossSigningKeys, { body: crossSigningKeysOf(alice).body })),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 401, 401])
})

eachHomeserver('keys that are not what they say to be are refused', async ({ register }) => {
  const alice = await register('alice')
  const { body, master } = crossSigningKeysOf(alice)
  const refused = async (wrong: object) => {
    const { status, errcode } = await alice.refused(uploadCrossSigningKeys, { body: wrong as never })
    return `${status} ${errcode}`
  }
  const { master_key, self_signing_key } = body
  assert.equal(await refused({ self_signing_key }), '400 M_MISSING_PARAM')
  assert.equal(await refused({}), '400 M_MISSING_PARAM')
  assert.equal(await refused({ master_key: { ...master_key, user_id: '@bob:example.org' } }), '400 M_INVALID_PARAM')
  assert.equal(await refused({ master_key: { ...master_key, usage: ['self_signing'] } }), '400 M_INVALID_PARAM')
  assert.equal(await refused({ master_key: { ...master_key, keys: {} } }), '400 M_INVALID_PARAM')
  const two = { ...master_key.keys, ...self_signing_key.keys }
  assert.equal(await refused({ master_key: { ...master_key, keys: two } }), '400 M_INVALID_PARAM')
  assert.equal(await refused({ master_key: { ...master_key, keys: { 'ed25519:x': 'x' } } }), '400 M_INVALID_PARAM')
  const misnamed = { [`ed25519:${newKey().publicKeyBase64}`]: master.publicKeyBase64 }
  assert.equal(await refused({ master_key: { ...master_key, keys: misnamed } }), '400 M_INVALID_PARAM')
  assert.equal(await refused({ master_key: { ...master_key, x: 'x'.repeat(40_000) } }), '413 M_TOO_LARGE')
  const same = { ...self_signing_key, keys: master_key.keys }
  assert.equal(await refused({ master_key, self_signing_key: same }), '400 M_INVALID_PARAM')
  const unsigned = { ...self_signing_key, signatures: {} }
  assert.equal(await refused({ master_key, self_signing_key: unsigned }), '400 M_INVALID_SIGNATURE')
  const tampered = { ...self_signing_key, more: true }
  assert.equal(await refused({ master_key, self_signing_key: tampered }), '400 M_INVALID_SIGNATURE')
  const byOther = signed({ ...self_signing_key, signatures: {} }, alice.userId, newKey())
  assert.equal(await refused({ master_key, self_signing_key: byOther }), '400 M_INVALID_SIGNATURE')
  assert.deepEqual((await query(alice, alice)).master_keys, {})
})

eachHomeserver('no key may be the ID of a device of the user', async (test) => {
  const alice = await test.register('alice')
  const keys = crossSigningKeysOf(alice)
  await anotherDevice(test, alice, { deviceId: keys.userSigning.publicKeyBase64 })
  const refused = await alice.refused(uploadCrossSigningKeys, { body: keys.body })
  assert.deepEqual([refused.status, refused.errcode], [403, 'M_FORBIDDEN'])
})

eachHomeserver("signatures of one's own are seen by all, those on others by oneself alone", async (test) => {
  const [alice, bob, carol] = [await test.register('alice'), await test.register('bob'), await test.register('carol')]
  await roomOf([alice, bob, carol])
  const device = await publishDevice(alice)
  const keys = await publishCrossSigning(alice)
  const bobs = await publishCrossSigning(bob)
  const [{ next_batch: atAlice }, { next_batch: atCarol }] = [await syncFrom(alice), await syncFrom(carol)]

  const signedDevice = signed(device.keys, alice.userId, keys.selfSigning)
  const signedMaster = signed(keys.body.master_key, alice.userId, device.key)
  const signedBob = signed(bobs.body.master_key, alice.userId, keys.userSigning)
  const { failures } = await alice.call(uploadCrossSigningSignatures, {
    body: {
      [alice.userId]: { [alice.deviceId]: signedDevice, [keys.master.publicKeyBase64]: signedMaster },
      [bob.userId]: { [bobs.master.publicKeyBase64]: signedBob },
    },
  })
  assert.deepEqual(failures, {})
  await test.restart()
  for (const viewer of [alice, carol]) {
    const found = await query(viewer, alice)
    assert.deepEqual(found.device_keys?.[alice.userId]?.[alice.deviceId], { ...signedDevice, unsigned: {} })
    assert.deepEqual(found.master_keys?.[alice.userId], signedMaster)
  }
  assert.deepEqual((await query(alice, bob)).master_keys?.[bob.userId], signedBob)
  assert.deepEqual((await query(carol, bob)).master_keys?.[bob.userId], bobs.body.master_key)
  assert.deepEqual((await query(bob, bob)).master_keys?.[bob.userId], bobs.body.master_key)
  // Alice's other devices hear of both, Carol of what she can see.
  const changed = async (client: TestClient, since: string) =>
    (await syncFrom(client, since)).device_lists?.changed?.toSorted()
  assert.deepEqual(await changed(alice, atAlice), [alice.userId, bob.userId].sort())
  assert.deepEqual(await changed(carol, atCarol), [alice.userId])
})

eachHomeserver('signatures that are wrong are told one by one, the others are kept', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  const device = await publishDevice(alice)
  const phone = await anotherDevice(test, alice)
  const phoneDevice = await publishDevice(phone)
  const keys = await publishCrossSigning(alice)
  const bobs = await publishCrossSigning(bob)
  const bobsDevice = await publishDevice(bob)
  const { failures } = await alice.call(uploadCrossSigningSignatures, {
    body: {
      [alice.userId]: {
        [alice.deviceId]: signed(device.keys, alice.userId, keys.selfSigning),
        [phone.deviceId]: signed({ ...phoneDevice.keys, more: 1 }, alice.userId, keys.selfSigning),
        [keys.master.publicKeyBase64]: signed(keys.body.master_key, alice.userId, newKey(phone.deviceId)),
        [keys.selfSigning.publicKeyBase64]: keys.body.self_signing_key,
        NONE: signed(device.keys, alice.userId, keys.selfSigning),
      },
      [bob.userId]: {
        [bobs.master.publicKeyBase64]: signed(bobs.body.master_key, alice.userId, keys.selfSigning),
        [bob.deviceId]: signed(bobsDevice.keys, alice.userId, keys.userSigning),
      },
      '@nobody:example.org': { x: {} },
      '@far:elsewhere.example': { x: {} },
    },
  })
  const codes = Object.entries(failures ?? {}).flatMap(([userId, byKey]) =>
    Object.entries(byKey).map(([target, error]) => `${userId} ${target} ${error['errcode']}`),
  )
  assert.deepEqual(
    codes.sort(),
    [
      `${alice.userId} ${phone.deviceId} M_INVALID_PARAM`,
      `${alice.userId} ${keys.master.publicKeyBase64} M_INVALID_SIGNATURE`,
      `${alice.userId} ${keys.selfSigning.publicKeyBase64} M_NOT_FOUND`,
      `${alice.userId} NONE M_NOT_FOUND`,
      `${bob.userId} ${bobs.master.publicKeyBase64} M_INVALID_SIGNATURE`,
      `${bob.userId} ${bob.deviceId} M_NOT_FOUND`,
      '@nobody:example.org x M_NOT_FOUND',
      '@far:elsewhere.example x M_NOT_FOUND',
    ].sort(),
  )
  const found = await query(bob, alice)
  const signatures = found.device_keys?.[alice.userId]?.[alice.deviceId]?.signatures[alice.userId] ?? {}
  assert.ok(keys.selfSigning.keyId in signatures)
  assert.equal(Object.keys((await query(bob, alice)).master_keys?.[alice.userId]?.signatures ?? {}).length, 0)
  const bad = await alice.refused(uploadCrossSigningSignatures, { body: { 'no user': { x: {} } } })
  assert.equal(bad.errcode, 'M_INVALID_PARAM')
  const many = Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`k${n}`, {}]))
  const refused = await alice.refused(uploadCrossSigningSignatures, { body: { [alice.userId]: many } })
  assert.equal(refused.errcode, 'M_TOO_LARGE')
})

eachHomeserver('a signature of a device that goes at the same time is not kept', async (test) => {
  const alice = await test.register('alice')
  const keys = await publishCrossSigning(alice)
  for (let round = 0; round < 5; round++) {
    const phone = await anotherDevice(test, alice, { deviceId: 'PHONE' })
    const device = await publishDevice(phone)
    const body = { [alice.userId]: { PHONE: signed(device.keys, alice.userId, keys.selfSigning) } }
    await Promise.all([alice.call(uploadCrossSigningSignatures, { body }), phone.call(logout)])
  }
  const again = await publishDevice(await anotherDevice(test, alice, { deviceId: 'PHONE' }))
  const found = await query(alice, alice)
  assert.deepEqual(found.device_keys?.[alice.userId]?.['PHONE']?.signatures, again.keys.signatures)
})

eachHomeserver('a signature goes with the key that made it and with what it is on', async (test) => {
  const alice = await test.register('alice')
  const phone = await anotherDevice(test, alice, { deviceId: 'PHONE' })
  const keys = await publishCrossSigning(alice)
  const signatures = async () => {
    const found = await query(alice, alice)
    return Object.keys(found.device_keys?.[alice.userId]?.['PHONE']?.signatures[alice.userId] ?? {})
  }
  const sign = async (client: TestClient, key = keys.selfSigning) => {
    const device = await publishDevice(client)
    const body = { [alice.userId]: { PHONE: signed(device.keys, alice.userId, key) } }
    await client.call(uploadCrossSigningSignatures, { body })
  }
  await sign(phone)
  assert.deepEqual((await signatures()).sort(), ['ed25519:PHONE', keys.selfSigning.keyId].sort())
  await phone.call(logout)
  const again = await anotherDevice(test, alice, { deviceId: 'PHONE' })
  await publishDevice(again)
  assert.deepEqual(await signatures(), ['ed25519:PHONE'])
  await sign(again)
  const other = crossSigningKeysOf(alice, keys.master).body
  const body = { self_signing_key: other.self_signing_key, auth: passwordAuth(alice) }
  await alice.call(uploadCrossSigningKeys, { body })
  assert.deepEqual(await signatures(), ['ed25519:PHONE'])
})
