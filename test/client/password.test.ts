import assert from 'node:assert/strict'
import { getCapabilities } from '#api/client/capabilities.ts'
import { login } from '#api/client/login.ts'
import { changePassword } from '#api/client/password-management.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { challenge, passwordAuth } from '#test/helpers/interactive-auth.ts'

const enter = (homeserver: TestHomeserver, password: string) =>
  homeserver.stranger().send(login, { body: { type: 'm.login.password', user: 'alice', password } })
const OLD = 'password of alice'
const NEW = 'Ä new p\u00e4ssword \0'

eachHomeserver('a new password takes the place of the old one, and other devices go', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const { body: other } = await enter(homeserver, OLD)
  const phone = alice.with({ ...alice, accessToken: (other as { access_token: string }).access_token })
  const { session, refused } = await challenge(alice, changePassword, { body: { new_password: NEW } })
  assert.deepEqual(refused.body['flows'], [{ stages: ['m.login.password'] }])
  const wrong = await alice.refused(changePassword, {
    body: { new_password: NEW, auth: { ...passwordAuth(alice, 'wrong'), session } },
  })
  assert.deepEqual([wrong.status, wrong.errcode], [401, 'M_FORBIDDEN'])
  await alice.call(changePassword, { body: { new_password: NEW, auth: { ...passwordAuth(alice), session } } })
  assert.equal((await enter(homeserver, OLD)).status, 403)
  assert.equal((await enter(homeserver, NEW)).status, 200)
  assert.equal((await phone.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  await alice.call(getTokenOwner)
  await homeserver.restart()
  assert.equal((await enter(homeserver, NEW)).status, 200)
})

eachHomeserver('other devices may stay, and one need not be logged in', async (homeserver) => {
  const alice = await homeserver.register('alice')
  await homeserver.register('bob')
  const stranger = homeserver.stranger()
  const body = { new_password: NEW, logout_devices: false }
  const { session } = await challenge(stranger, changePassword, { body })
  const unnamed = await stranger.refused(changePassword, {
    body: { ...body, auth: { type: 'm.login.password', password: OLD, session } },
  })
  assert.equal(unnamed.errcode, 'M_MISSING_PARAM')
  await stranger.call(changePassword, { body: { ...body, auth: { ...passwordAuth(alice), session } } })
  await alice.call(getTokenOwner)
  assert.equal((await enter(homeserver, NEW)).status, 200)
  await stranger.call(changePassword, { body: { new_password: OLD, auth: passwordAuth(alice, NEW) } })
  assert.equal((await alice.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
})

eachHomeserver(
  'a new password must be as the policy says',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    for (const weak of ['', 'short1!A', 'longenough', 'LONGENOUGH1!', 'longenough1!', 'Longenough!!', 'Longenough11']) {
      const refused = await alice.refused(changePassword, { body: { new_password: weak, auth: passwordAuth(alice) } })
      assert.deepEqual([refused.status, refused.errcode], [400, 'M_WEAK_PASSWORD'], weak)
    }
    assert.equal((await alice.refused(changePassword, { body: {} as never })).errcode, 'M_MISSING_PARAM')
    await alice.call(changePassword, { body: { new_password: 'Longenough1!', auth: passwordAuth(alice) } })
  },
  {
    config:
      'password_config: { policy: { enabled: true, minimum_length: 9, require_digit: true, require_symbol: true, require_lowercase: true, require_uppercase: true } }',
  },
)

eachHomeserver(
  'guesses at an interactive authentication count as guesses',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const body = { new_password: NEW, auth: passwordAuth(alice, 'wrong') }
    const answers = await Promise.all(Array.from({ length: 6 }, () => alice.send(changePassword, { body })))
    assert.deepEqual(answers.map(({ status }) => status).sort(), [401, 401, 429, 429, 429, 429])
    assert.equal((await enter(homeserver, OLD)).status, 429)
  },
  { config: 'rc_login: { failed_attempts: { per_second: 0.001, burst_count: 2 } }' },
)

eachHomeserver(
  'where passwords are kept elsewhere they cannot be changed here',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const body = { new_password: NEW, auth: passwordAuth(alice) }
    assert.equal((await alice.refused(changePassword, { body })).errcode, 'M_FORBIDDEN')
    const { capabilities } = await alice.call(getCapabilities)
    assert.deepEqual(capabilities['m.change_password'], { enabled: false })
  },
  { config: 'password_config: { localdb_enabled: false }' },
)
