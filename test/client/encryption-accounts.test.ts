import assert from 'node:assert/strict'
import { deleteDevices } from '#api/client/device-management.ts'
import { getRoomKeysVersionCurrent, postRoomKeysVersion, putRoomKeys } from '#api/client/key-backup.ts'
import { claimKeys, queryKeys, uploadKeys } from '#api/client/keys.ts'
import { logoutAll } from '#api/client/logout.ts'
import { changePassword } from '#api/client/password-management.ts'
import { register } from '#api/client/registration.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { TestClient } from '#test/helpers/client.ts'
import {
  anotherDevice,
  deviceKeysOf,
  oneTimeKeys,
  publishCrossSigning,
  publishDevice,
  syncFrom,
} from '#test/helpers/encryption.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { passwordAuth } from '#test/helpers/interactive-auth.ts'
import { roomOf } from '#test/helpers/rooms.ts'

const COUNT = row({ count: integer() })
/** How many rows of encryption a user has left, by table. */
const leftOf = async ({ services }: TestHomeserver, user: number) => {
  const { db } = services
  const counts = [
    await db.get(COUNT, sql`SELECT count(*) FROM device_keys WHERE "user" = ${user}`),
    await db.get(COUNT, sql`SELECT count(*) FROM one_time_keys WHERE "user" = ${user}`),
    await db.get(COUNT, sql`SELECT count(*) FROM one_time_key_changes WHERE "user" = ${user}`),
    await db.get(COUNT, sql`SELECT count(*) FROM fallback_keys WHERE "user" = ${user}`),
    await db.get(COUNT, sql`SELECT count(*) FROM to_device WHERE "user" = ${user}`),
  ]
  return counts.map((found) => found?.count)
}
const numberOf = async ({ services }: TestHomeserver, { userId }: TestClient) =>
  (await services.users.find(userId as UserId))?.user ?? 0

/** Gives a device everything that a device can have. */
const equip = async (client: TestClient, from: TestClient) => {
  const body = {
    device_keys: deviceKeysOf(client).keys,
    one_time_keys: oneTimeKeys('a', 'b'),
    fallback_keys: oneTimeKeys('f'),
  }
  await client.call(uploadKeys, { body })
  await from.call(sendToDevice, {
    params: { eventType: 'm.dummy', txnId: TestClient.txn() },
    body: { messages: { [client.userId]: { [client.deviceId]: {} } } },
  })
}

const waysToGo: readonly (readonly [string, (alice: TestClient, phone: TestClient) => Promise<unknown>])[] = [
  [
    'is deleted',
    (alice, phone) => alice.call(deleteDevices, { body: { devices: [phone.deviceId], auth: passwordAuth(alice) } }),
  ],
  [
    'is logged out by another password',
    (alice) =>
      alice.call(changePassword, {
        body: { new_password: 'another', logout_devices: true, auth: passwordAuth(alice) },
      }),
  ],
  ['is logged out with all others', (_, phone) => phone.call(logoutAll)],
]
for (const [how, go] of waysToGo) {
  eachHomeserver(`everything of a device goes when it ${how}, and others hear of it`, async (test) => {
    const [alice, bob] = [await test.register('alice'), await test.register('bob')]
    const phone = await anotherDevice(test, alice, { deviceId: 'PHONE' })
    await roomOf([alice, bob])
    await equip(phone, bob)
    const user = await numberOf(test, alice)
    assert.deepEqual(await leftOf(test, user), [1, 2, 1, 1, 1])
    const { next_batch: since } = await syncFrom(bob)
    const waiting = syncFrom(bob, since, 30_000)
    await go(alice, phone)
    assert.deepEqual((await waiting).device_lists?.changed, [alice.userId])
    assert.deepEqual(await leftOf(test, user), [0, 0, 0, 0, 0])
    const { device_keys } = await bob.call(queryKeys, { body: { device_keys: { [alice.userId]: [] } } })
    assert.deepEqual(device_keys, { [alice.userId]: {} })
    const claimed = await bob.call(claimKeys, {
      body: { one_time_keys: { [alice.userId]: { PHONE: 'signed_curve25519' } } },
    })
    assert.deepEqual(claimed.one_time_keys, {})
  })
}

eachHomeserver('a deactivated user has no keys, no backups and no messages waiting', async (test) => {
  const [alice, bob] = [await test.register('alice'), await test.register('bob')]
  await roomOf([alice, bob])
  await equip(alice, bob)
  await publishCrossSigning(alice)
  const backup = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} }
  for (const _ of [1, 2]) {
    const { version } = await alice.call(postRoomKeysVersion, { body: backup })
    const key = { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data: {} }
    const rooms = { '!r:example.org': { sessions: { s: key } } }
    await alice.call(putRoomKeys, { query: { version }, body: { rooms } })
  }
  assert.equal((await alice.call(getRoomKeysVersionCurrent)).count, 1)
  const user = await numberOf(test, alice)
  const { next_batch: since } = await syncFrom(bob)
  await test.services.deactivations.deactivate(alice.userId as UserId, { erase: false, by: undefined })
  assert.deepEqual((await syncFrom(bob, since)).device_lists?.left, [alice.userId])
  assert.deepEqual(await leftOf(test, user), [0, 0, 0, 0, 0])
  const { db } = test.services
  for (const query of [
    sql`SELECT count(*) FROM cross_signing_keys WHERE "user" = ${user}`,
    sql`SELECT count(*) FROM backed_up_keys WHERE "user" = ${user}`,
    sql`SELECT count(*) FROM key_backups WHERE "user" = ${user} AND NOT is_deleted`,
  ]) {
    assert.equal((await db.get(COUNT, query))?.count, 0)
  }
  const found = await bob.call(queryKeys, { body: { device_keys: { [alice.userId]: [] } } })
  assert.deepEqual([found.device_keys, found.master_keys], [{ [alice.userId]: {} }, {}])
  // Messages to whoever is not there are no error.
  await bob.call(sendToDevice, {
    params: { eventType: 'm.dummy', txnId: TestClient.txn() },
    body: { messages: { [alice.userId]: { '*': {} } } },
  })
  assert.deepEqual(await leftOf(test, user), [0, 0, 0, 0, 0])
})

eachHomeserver(
  'guests have keys and messages as users do',
  async (test) => {
    const guest = test.stranger()
    const made = await guest.call(register, { query: { kind: 'guest' }, body: {} })
    Object.assign(guest, { accessToken: made.access_token, userId: made.user_id, deviceId: made.device_id })
    const bob = await test.register('bob')
    await equip(guest, bob)
    await publishDevice(bob)
    const asked = { [bob.userId]: [], [guest.userId]: [] }
    const { device_keys } = await guest.call(queryKeys, { body: { device_keys: asked } })
    assert.deepEqual(Object.keys(device_keys?.[bob.userId] ?? {}), [bob.deviceId])
    assert.deepEqual(Object.keys(device_keys?.[guest.userId] ?? {}), [guest.deviceId])
    const wanted = { [guest.userId]: { [guest.deviceId]: 'signed_curve25519' } }
    const { one_time_keys } = await bob.call(claimKeys, { body: { one_time_keys: wanted } })
    assert.deepEqual(Object.keys(one_time_keys[guest.userId]?.[guest.deviceId] ?? {}), ['signed_curve25519:a'])
    const answer = await syncFrom(guest)
    assert.equal(answer.to_device?.events?.length, 1)
    assert.equal(answer.device_one_time_keys_count?.['signed_curve25519'], 1)
  },
  { config: 'allow_guest_access: true' },
)
