import assert from 'node:assert/strict'
import { queryKeys, uploadKeys } from '#api/client/keys.ts'
import { logout } from '#api/client/logout.ts'
import { anotherDevice, deviceKeysOf, publishDevice } from '#test/helpers/encryption.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'

eachHomeserver('the keys of a device are told to everybody, with its name', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const phone = await anotherDevice(homeserver, alice, { displayName: 'Phone\0\ud800' })
  const first = await publishDevice(alice)
  const second = await publishDevice(phone)
  const found = await bob.call(queryKeys, { body: { device_keys: { [alice.userId]: [], [bob.userId]: [] } } })
  assert.deepEqual(found.device_keys, {
    [alice.userId]: {
      [alice.deviceId]: { ...first.keys, unsigned: {} },
      [phone.deviceId]: { ...second.keys, unsigned: { device_display_name: 'Phone\0\ud800' } },
    },
    [bob.userId]: {},
  })
  const one = await bob.call(queryKeys, { body: { device_keys: { [alice.userId]: [phone.deviceId, 'NONE'] } } })
  assert.deepEqual(Object.keys(one.device_keys?.[alice.userId] ?? {}), [phone.deviceId])
  await homeserver.restart()
  await phone.call(logout)
  const after = await bob.call(queryKeys, { body: { device_keys: { [alice.userId]: [] } } })
  assert.deepEqual(Object.keys(after.device_keys?.[alice.userId] ?? {}), [alice.deviceId])
})

eachHomeserver('users who are not there have no devices, and other servers are not reached', async ({ register }) => {
  const alice = await register('alice')
  const nobody = '@nobody:example.org'
  const found = await alice.call(queryKeys, { body: { device_keys: { [nobody]: [], '@bob:elsewhere.example': [] } } })
  assert.deepEqual(found.device_keys, { [nobody]: {} })
  assert.deepEqual(Object.keys(found.failures ?? {}), ['elsewhere.example'])
  const refused = await alice.refused(queryKeys, { body: { device_keys: { 'no user': [] } } })
  assert.deepEqual([refused.status, refused.errcode], [400, 'M_INVALID_PARAM'])
  const wrong = await alice.refused(queryKeys, { body: { device_keys: { [nobody]: 'all' } } as never })
  assert.deepEqual([wrong.status, wrong.errcode], [400, 'M_BAD_JSON'])
  const many = Object.fromEntries(Array.from({ length: 10_001 }, (_, n) => [`@u${n}:example.org`, []]))
  assert.equal((await alice.refused(queryKeys, { body: { device_keys: many } })).errcode, 'M_TOO_LARGE')
})

eachHomeserver('a device publishes keys of its own only', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const { keys } = deviceKeysOf(alice)
  for (const wrong of [{ user_id: bob.userId }, { device_id: 'OTHER' }]) {
    const refused = await alice.refused(uploadKeys, { body: { device_keys: { ...keys, ...wrong } } })
    assert.deepEqual([refused.status, refused.errcode], [400, 'M_INVALID_PARAM'])
  }
  const huge = { ...keys, more: 'x'.repeat(40_000) }
  const refused = await alice.refused(uploadKeys, { body: { device_keys: huge } })
  assert.deepEqual([refused.status, refused.errcode], [413, 'M_TOO_LARGE'])
  const lacking = { user_id: alice.userId, device_id: alice.deviceId }
  assert.equal((await alice.refused(uploadKeys, { body: { device_keys: lacking } as never })).status, 400)
})

eachHomeserver('keys with NUL, lone surrogates and fractions are told as they were published', async ({ register }) => {
  const alice = await register('alice')
  const { keys } = deviceKeysOf(alice)
  const odd = { ...keys, 'x\0\ud800': ['\0\udfff', 1.5, 1e300, -0], unsigned: { lies: true } }
  await alice.call(uploadKeys, { body: { device_keys: odd } })
  const found = await alice.call(queryKeys, { body: { device_keys: { [alice.userId]: [] } } })
  assert.deepEqual(found.device_keys?.[alice.userId]?.[alice.deviceId], {
    ...odd,
    'x\0\ud800': ['\0\udfff', 1.5, 1e300, 0],
    unsigned: {},
  })
})

eachHomeserver('all devices of more users than are read at once are told', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const names = Array.from({ length: 120 }, (_, n) => `u${n}`)
  const users = []
  for (const name of names) users.push(await homeserver.register(name))
  await Promise.all(users.map(publishDevice))
  const asked = Object.fromEntries(users.map(({ userId }) => [userId, []]))
  const found = await alice.call(queryKeys, { body: { device_keys: asked } })
  for (const user of users) {
    assert.deepEqual(Object.keys(found.device_keys?.[user.userId] ?? {}), [user.deviceId])
  }
})
