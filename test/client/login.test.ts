import assert from 'node:assert/strict'
import { getCapabilities } from '#api/client/capabilities.ts'
import { getDevices } from '#api/client/device-management.ts'
import { getLoginFlows, login } from '#api/client/login.ts'
import { generateLoginToken } from '#api/client/login-token.ts'
import { logout, logoutAll } from '#api/client/logout.ts'
import { sync } from '#api/client/sync.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { Change } from '#storage/change.ts'
import { accountAdded } from '#storage/stores/accounts.ts'
import { userAdded } from '#storage/stores/users.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { challenge, passwordAuth } from '#test/helpers/interactive-auth.ts'
import { movingClock } from '#test/helpers/moving-clock.ts'

const TYPE = 'm.login.password'
const identifier = (user: string) => ({ type: 'm.id.user', user })
const byPassword = (user: string, more: Record<string, unknown> = {}) => ({
  type: TYPE,
  identifier: identifier(user),
  password: 'password of alice',
  ...more,
})

eachHomeserver('a user logs in by user ID, by name, in any case and in the deprecated way', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const client = homeserver.stranger()
  assert.deepEqual(await client.call(getLoginFlows), { flows: [{ type: TYPE }] })
  for (const name of ['alice', '@alice:example.org', 'ALICE', '@Alice:example.org']) {
    const answer = await client.call(login, { body: byPassword(name) })
    assert.equal(answer.user_id, alice.userId)
    assert.equal(answer.home_server, 'example.org')
    assert.deepEqual([answer.refresh_token, answer.expires_in_ms, answer.well_known], [undefined, undefined, undefined])
  }
  const body = { type: TYPE, user: 'alice', password: 'password of alice' }
  const { access_token, device_id } = await client.call(login, { body })
  client.accessToken = access_token
  assert.equal((await client.call(getTokenOwner)).device_id, device_id)
  await homeserver.restart()
  assert.equal((await client.call(getTokenOwner)).device_id, device_id)
})

eachHomeserver('whoever is not the user is not let in', async (homeserver) => {
  await homeserver.register('alice')
  const client = homeserver.stranger()
  const refusal = async (body: Record<string, unknown>) => {
    const { status, errcode } = await client.refused(login, { body: body as never })
    return [status, errcode]
  }
  const forbidden = [403, 'M_FORBIDDEN']
  for (const user of ['bob', '@alice:elsewhere.org', '@alice', '', '\0', '\ud800', 'a:b', 'x'.repeat(600)]) {
    assert.deepEqual(await refusal(byPassword(user)), forbidden, JSON.stringify(user))
  }
  for (const password of ['', 'Password of alice', 'password of alice\0', '\ud800']) {
    assert.deepEqual(await refusal(byPassword('alice', { password })), forbidden)
  }
  const third = { type: 'm.id.thirdparty', medium: 'email', address: 'a@example.org' }
  assert.deepEqual(await refusal(byPassword('', { identifier: third })), forbidden)
  assert.deepEqual(await refusal({ type: TYPE, medium: 'email', address: 'a@example.org', password: 'x' }), forbidden)
  const phone = { type: 'm.id.phone', country: 'GB', phone: '1' }
  assert.deepEqual(await refusal(byPassword('', { identifier: phone })), forbidden)
  const service = { type: 'm.login.application_service', identifier: identifier('alice') }
  assert.deepEqual(await refusal(service), [401, 'M_MISSING_TOKEN'])
  assert.deepEqual(await refusal({ type: 'm.login.token', token: 'nonsense\0\ud800' }), forbidden)

  assert.deepEqual(await refusal({ type: 'm.login.dance' }), [400, 'M_UNKNOWN'])
  assert.deepEqual(await refusal(byPassword('', { identifier: { type: 'm.id.soul' } })), [400, 'M_UNKNOWN'])
  assert.deepEqual(await refusal({ type: TYPE, identifier: identifier('alice') }), [400, 'M_MISSING_PARAM'])
  assert.deepEqual(await refusal({ type: TYPE, password: 'x' }), [400, 'M_MISSING_PARAM'])
  assert.deepEqual(await refusal({ type: 'm.login.token' }), [400, 'M_MISSING_PARAM'])
  assert.deepEqual(await refusal({}), [400, 'M_MISSING_PARAM'])
  assert.deepEqual(await refusal(byPassword('alice', { password: 5 })), [400, 'M_BAD_JSON'])
  assert.deepEqual(await refusal({ ...byPassword('alice'), identifier: { type: 'm.id.user', user: 5 } }), [
    400,
    'M_BAD_JSON',
  ])
  assert.deepEqual(await refusal(byPassword('alice', { device_id: '' })), [400, 'M_INVALID_PARAM'])
})

/** An account as an import may bring it. */
const addOldAccount = async ({ services }: TestHomeserver, userId: string) => {
  const user = await services.numbers.next('user')
  const passwordHash = await services.passwords.hash('password of alice')
  const no = { isAdmin: false, isLocked: false, isSuspended: false, isShadowBanned: false }
  const account = { user, kind: 'user', appservice: undefined, passwordHash, createdTs: 0, ...no } as const
  const change = new Change().write(userAdded, { user, userId, isLocal: true })
  change.write(accountAdded, { ...account, isApproved: true, isDeactivated: false, isErased: false })
  assert.ok((await services.commit(change)).ok)
}

eachHomeserver('an old name with capital letters is found in any case unless there are several', async (homeserver) => {
  const client = homeserver.stranger()
  const loggedIn = async (name: string) => {
    const { body } = await client.send(login, { body: byPassword(name) })
    return (body as { user_id?: string }).user_id
  }
  await addOldAccount(homeserver, '@Alice:example.org')
  assert.equal(await loggedIn('alice'), '@Alice:example.org')
  await addOldAccount(homeserver, '@aLice:example.org')
  assert.equal(await loggedIn('alice'), undefined)
  assert.equal(await loggedIn('aLice'), '@aLice:example.org')
  await homeserver.register('alice')
  assert.equal(await loggedIn('alice'), '@alice:example.org')
  assert.equal(await loggedIn('Alice'), '@Alice:example.org')
})

eachHomeserver('logging in on a known device ends what was there, and keeps its name', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const client = homeserver.stranger()
  const device = { device_id: 'PHONE \0\ud800', initial_device_display_name: 'First' }
  const first = await client.call(login, { body: byPassword('alice', device) })
  assert.equal(first.device_id, device.device_id)
  const second = await client.call(login, {
    body: byPassword('alice', { ...device, initial_device_display_name: 'Second' }),
  })
  const old = alice.with({ ...alice, accessToken: first.access_token })
  assert.equal((await old.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  const { devices } = await alice.call(getDevices)
  assert.deepEqual(
    devices?.filter(({ device_id }) => device_id === device.device_id).map(({ display_name }) => display_name),
    ['First'],
  )
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => client.call(login, { body: byPassword('alice', device) })),
  )
  const statuses = await Promise.all(
    [second, ...answers].map(
      async ({ access_token }) =>
        (await alice.with({ ...alice, accessToken: access_token }).send(getTokenOwner)).status,
    ),
  )
  assert.equal(statuses.filter((status) => status === 200).length, 1)
})

eachHomeserver('logging out ends the device, and all of them if one wants', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const other = homeserver.stranger()
  other.accessToken = (await other.call(login, { body: byPassword('alice') })).access_token
  const waiting = other.send(sync, { query: { timeout: '100' } })
  await other.call(logout)
  await waiting
  assert.equal((await other.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  assert.equal((await other.refused(logout)).errcode, 'M_UNKNOWN_TOKEN')
  assert.equal((await alice.call(getDevices)).devices?.length, 1)
  const third = homeserver.stranger()
  third.accessToken = (await third.call(login, { body: byPassword('alice') })).access_token
  // A body means nothing.
  await alice.call(logoutAll, { raw: 'no JSON' })
  for (const client of [alice, third]) assert.equal((await client.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  await bob.call(getTokenOwner)
  await homeserver.restart()
  assert.equal((await third.refused(getTokenOwner)).body['soft_logout'], false)
})

eachHomeserver(
  'an account can be guessed at only so often, by whomever',
  async (homeserver) => {
    await homeserver.register('alice')
    const attempt = (password: string, user = 'alice') =>
      homeserver.stranger().send(login, { body: byPassword(user, { password }) })
    for (let count = 0; count < 5; count++) assert.equal((await attempt('password of alice')).status, 200)
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => attempt(`guess ${n}`, n % 2 ? 'ALICE' : 'alice')),
    )
    assert.equal(answers.filter(({ status }) => status === 403).length, 3)
    const refused = await attempt('password of alice')
    assert.equal(refused.status, 429)
    assert.ok((refused.body as { retry_after_ms: number }).retry_after_ms > 0)
  },
  {
    config:
      'rc_login: { address: { per_second: 1000, burst_count: 1000 }, account: { per_second: 1000, burst_count: 1000 }, failed_attempts: { per_second: 0.01, burst_count: 3 } }',
  },
)

eachHomeserver(
  'addresses and accounts log in only so often',
  async (homeserver) => {
    await homeserver.register('alice')
    const attempt = (user: string) => homeserver.stranger().send(login, { body: byPassword(user) })
    assert.deepEqual([(await attempt('alice')).status, (await attempt('alice')).status], [200, 200])
    assert.equal((await attempt('alice')).status, 429)
    assert.equal((await attempt('nobody')).status, 403)
    assert.equal((await attempt('nobody')).status, 429)
  },
  {
    config:
      'rc_login: { address: { per_second: 0.001, burst_count: 4 }, account: { per_second: 0.001, burst_count: 2 } }',
  },
)

const clock = movingClock()
eachHomeserver(
  'a login token lets its user in once, within its time',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const client = homeserver.stranger()
    assert.deepEqual((await client.call(getLoginFlows)).flows, [
      { type: TYPE },
      { type: 'm.login.token', get_login_token: true },
    ])
    const { services } = homeserver
    const user = (await services.accounts.find(alice.userId as never))?.user ?? 0
    const { token } = await services.loginTokens.issue(user)
    await homeserver.restart()
    const body = { type: 'm.login.token', token, device_id: 'TABLET' }
    const answers = await Promise.all(Array.from({ length: 5 }, () => client.send(login, { body })))
    const inside = answers.filter(({ status }) => status === 200)
    assert.equal(inside.length, 1)
    const [answer] = inside.map(({ body: inner }) => inner as { user_id: string })
    assert.equal(answer?.user_id, alice.userId)
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200, 403]))
    const late = await homeserver.services.loginTokens.issue(user)
    clock.move(late.expiresInMs)
    assert.equal((await client.refused(login, { body: { ...body, token: late.token } })).errcode, 'M_FORBIDDEN')
  },
  { clock, config: 'login_via_existing_session: { enabled: true, token_timeout: 10s }' },
)

eachHomeserver(
  'a user lets another device of theirs in, once the password is given again',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const bob = await homeserver.register('bob')
    const { capabilities } = await alice.call(getCapabilities)
    assert.deepEqual(capabilities['m.get_login_token'], { enabled: true })
    const { session } = await challenge(alice, generateLoginToken, { body: {} })
    const wrong = { ...passwordAuth(alice, 'wrong'), session }
    assert.equal((await alice.refused(generateLoginToken, { body: { auth: wrong } })).errcode, 'M_FORBIDDEN')
    const theirs = { ...passwordAuth(bob), session }
    assert.equal((await bob.refused(generateLoginToken, { body: { auth: theirs } })).errcode, 'M_FORBIDDEN')
    const auth = { ...passwordAuth(alice), session }
    const { login_token: token, expires_in_ms } = await alice.call(generateLoginToken, { body: { auth } })
    assert.equal(expires_in_ms, 300_000)
    // However recently it was given: each device is let in by itself. And not too many.
    await challenge(alice, generateLoginToken, { body: {} })
    const next = await alice.refused(generateLoginToken, { body: { auth: passwordAuth(alice) } })
    assert.deepEqual([next.status, next.errcode], [429, 'M_LIMIT_EXCEEDED'])
    const body = { type: 'm.login.token', token }
    assert.equal((await homeserver.stranger().call(login, { body })).user_id, alice.userId)
    assert.equal((await homeserver.stranger().refused(login, { body })).errcode, 'M_FORBIDDEN')
  },
  { config: 'login_via_existing_session: { enabled: true }\nui_auth: { session_timeout: 1h }' },
)

eachHomeserver(
  'an administrator may do without the password for that',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const { login_token: token } = await alice.call(generateLoginToken, { body: {} })
    const made = await homeserver.stranger().call(login, { body: { type: 'm.login.token', token } })
    assert.equal(made.user_id, alice.userId)
  },
  { config: 'login_via_existing_session: { enabled: true, require_ui_auth: false }' },
)

eachHomeserver(
  'where passwords are off, nobody logs in with one',
  async (homeserver) => {
    await homeserver.register('alice')
    const client = homeserver.stranger()
    assert.deepEqual((await client.call(getLoginFlows)).flows, [])
    const refused = await client.refused(login, { body: byPassword('alice') })
    assert.deepEqual([refused.status, refused.errcode], [400, 'M_UNKNOWN'])
  },
  { config: 'password_config: { enabled: only_for_reauth }' },
)

eachHomeserver(
  'a module may object to a login, and clients are told where the server is',
  async (homeserver) => {
    await homeserver.register('alice')
    const client = homeserver.stranger()
    const refused = await client.refused(login, { body: byPassword('alice', { device_id: 'STOLEN' }) })
    assert.deepEqual([refused.status, refused.errcode], [403, 'M_FORBIDDEN'])
    const { well_known } = await client.call(login, { body: byPassword('alice') })
    assert.deepEqual(well_known, { 'm.homeserver': { base_url: 'https://matrix.example.org/' } })
  },
  {
    config: 'public_baseurl: https://matrix.example.org',
    modules: [
      {
        name: 'no thieves',
        callbacks: {
          checkLoginForSpam: (_, { deviceId }) =>
            deviceId === 'STOLEN' ? { ok: false, rule: 'stolen', reason: 'This device was stolen' } : { ok: true },
        },
      },
    ],
  },
)
