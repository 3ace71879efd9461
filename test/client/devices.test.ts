import assert from 'node:assert/strict'
import { deleteDevice, deleteDevices, getDevice, getDevices, updateDevice } from '#api/client/device-management.ts'
import { login } from '#api/client/login.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { challenge, passwordAuth } from '#test/helpers/interactive-auth.ts'
import { movingClock } from '#test/helpers/moving-clock.ts'

/** Logs a user in on a device of that ID. */
const onDevice = async (homeserver: TestHomeserver, name: string, deviceId: string) => {
  const client = homeserver.stranger()
  const body = { type: 'm.login.password', user: name, password: `password of ${name}`, device_id: deviceId }
  const answer = await client.call(login, { body })
  return client.with({ accessToken: answer.access_token, userId: answer.user_id, deviceId })
}
const ids = async (client: Awaited<ReturnType<typeof onDevice>>) =>
  (await client.call(getDevices)).devices?.map(({ device_id }) => device_id)

eachHomeserver('a user sees and renames their own devices, and no others', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const phone = await onDevice(homeserver, 'alice', 'PHONE')
  const { devices } = await alice.call(getDevices)
  assert.equal(devices?.length, 2)
  const params = { deviceId: 'PHONE' }
  assert.equal((await alice.call(getDevice, { params })).display_name, undefined)
  for (const name of ['Phone', '', '\0 \ud800 \ufffe', 'x'.repeat(1000)]) {
    await alice.call(updateDevice, { params, body: { display_name: name } })
    assert.equal((await alice.call(getDevice, { params })).display_name, name)
  }
  await alice.call(updateDevice, { params, body: {} })
  assert.equal((await alice.call(getDevice, { params })).display_name?.length, 1000)
  const long = await alice.refused(updateDevice, { params, body: { display_name: 'x'.repeat(1001) } })
  assert.equal(long.errcode, 'M_INVALID_PARAM')
  // What was written before the next change is written when that is.
  await phone.call(getDevice, { params })
  await alice.call(updateDevice, { params, body: { display_name: 'Phone' } })
  const seen = await phone.call(getDevice, { params })
  assert.ok(seen.last_seen_ts !== undefined && seen.last_seen_ip !== undefined)

  for (const deviceId of ['PHONE', 'NONE', '\0', ' ']) {
    assert.equal((await bob.refused(getDevice, { params: { deviceId } })).errcode, 'M_NOT_FOUND')
    const refused = await bob.refused(updateDevice, { params: { deviceId }, body: { display_name: 'mine' } })
    assert.deepEqual([refused.status, refused.errcode], [404, 'M_NOT_FOUND'])
  }
})

eachHomeserver('a device goes once its user has confirmed it by the password', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const phone = await onDevice(homeserver, 'alice', 'PHONE')
  await onDevice(homeserver, 'bob', 'PHONE')
  const params = { deviceId: 'PHONE' }
  const { session, refused } = await challenge(alice, deleteDevice, { params })
  assert.deepEqual(refused.body['flows'], [{ stages: ['m.login.password'] }])
  const attempt = (auth: Record<string, unknown>) =>
    alice.refused(deleteDevice, { params, body: { auth: { ...auth, session } } })
  const wrong = await attempt(passwordAuth(alice, 'wrong'))
  assert.deepEqual([wrong.status, wrong.errcode, wrong.body['session']], [401, 'M_FORBIDDEN', session])
  // The password of somebody else is none.
  assert.equal((await attempt(passwordAuth(bob))).errcode, 'M_FORBIDDEN')
  assert.equal((await attempt({ type: 'm.login.dummy' })).errcode, 'M_UNRECOGNIZED')
  assert.equal((await attempt({ type: 'm.login.password' })).errcode, 'M_MISSING_PARAM')
  assert.equal((await attempt({})).status, 401)
  await phone.call(getTokenOwner)
  await homeserver.restart()
  await alice.call(deleteDevice, { params, body: { auth: { ...passwordAuth(alice), session } } })
  assert.equal((await phone.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  assert.deepEqual(await ids(alice), [alice.deviceId])
  assert.ok((await ids(bob))?.includes('PHONE'))
  // What is gone is no error, and what was confirmed once is not confirmed for ever.
  await alice.call(deleteDevice, { params, body: { auth: { ...passwordAuth(alice), session } } })
  assert.equal((await alice.refused(deleteDevice, { params, body: { auth: { session } } })).status, 401)
})

eachHomeserver('what was confirmed for one thing is no good for another', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  for (const deviceId of ['A', 'B']) await onDevice(homeserver, 'alice', deviceId)
  const { session } = await challenge(alice, deleteDevices, { body: { devices: ['A'] } })
  const auth = { ...passwordAuth(alice), session }
  const other = await alice.refused(deleteDevices, { body: { devices: ['B'], auth } })
  assert.deepEqual([other.status, other.errcode], [403, 'M_FORBIDDEN'])
  const theirs = await bob.refused(deleteDevices, { body: { devices: ['A'], auth: { ...passwordAuth(bob), session } } })
  assert.deepEqual([theirs.status, theirs.errcode], [403, 'M_FORBIDDEN'])
  await alice.call(deleteDevices, { body: { devices: ['A'], auth } })
  assert.deepEqual((await ids(alice))?.sort(), ['B', alice.deviceId].sort())
})

eachHomeserver("many devices go at once, one's own among them", async (homeserver) => {
  const alice = await homeserver.register('alice')
  const phones = []
  for (let n = 0; n < 5; n++) phones.push(await onDevice(homeserver, 'alice', `PHONE ${n}`))
  const names = ['PHONE 0', 'PHONE 1', 'PHONE 1', 'NONE', '\0', '\ud800', '']
  const auth = passwordAuth(alice)
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => alice.send(deleteDevices, { body: { devices: names, auth } })),
  )
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  assert.equal((await ids(alice))?.length, 4)
  await alice.call(deleteDevices, { body: { devices: [], auth } })
  const own = [alice.deviceId, 'PHONE 2']
  await alice.call(deleteDevices, { body: { devices: own, auth } })
  assert.equal((await alice.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  assert.deepEqual(await ids(phones[4] as never), ['PHONE 3', 'PHONE 4'])
  const many = { devices: Array.from({ length: 10_001 }, String) }
  assert.equal((await (phones[4] as typeof alice).refused(deleteDevices, { body: many })).errcode, 'M_INVALID_PARAM')
})

eachHomeserver('somebody who logs in on a device while it is removed has it, or has not', async (homeserver) => {
  const alice = await homeserver.register('alice')
  for (let round = 0; round < 5; round++) {
    await onDevice(homeserver, 'alice', 'PHONE')
    const [phone] = await Promise.all([
      onDevice(homeserver, 'alice', 'PHONE'),
      alice.call(deleteDevice, { params: { deviceId: 'PHONE' }, body: { auth: passwordAuth(alice) } }),
    ])
    const { status } = await phone.send(getTokenOwner)
    assert.equal((await ids(alice))?.includes('PHONE'), status === 200)
  }
})

const clock = movingClock()
eachHomeserver(
  'who gave the password a short while ago is not asked again',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    for (const deviceId of ['A', 'B', 'C']) await onDevice(homeserver, 'alice', deviceId)
    await alice.call(deleteDevice, { params: { deviceId: 'A' } })
    clock.move(60_001)
    const params = { deviceId: 'B' }
    const { session } = await challenge(alice, deleteDevice, { params })
    await alice.call(deleteDevice, { params, body: { auth: { ...passwordAuth(alice), session } } })
    await homeserver.restart()
    await alice.call(deleteDevice, { params: { deviceId: 'C' } })
    assert.deepEqual(await ids(alice), [alice.deviceId])
  },
  { clock, config: 'ui_auth: { session_timeout: 60s }' },
)

eachHomeserver(
  'where there are no passwords there is no way to confirm anything',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const refused = await alice.refused(deleteDevice, { params: { deviceId: 'A' } })
    assert.deepEqual([refused.status, refused.errcode], [403, 'M_FORBIDDEN'])
  },
  { config: 'password_config: { enabled: false }' },
)
