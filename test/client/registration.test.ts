import assert from 'node:assert/strict'
import { getDevices } from '#api/client/device-management.ts'
import { login } from '#api/client/login.ts'
import { getUserProfile } from '#api/client/profile.ts'
import { checkUsernameAvailability, register } from '#api/client/registration.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { Change } from '#storage/change.ts'
import { registrationTokenAdded, registrationTokenOf } from '#storage/stores/registration-tokens.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { challenge } from '#test/helpers/interactive-auth.ts'
import { movingClock } from '#test/helpers/moving-clock.ts'

const OPEN = 'enable_registration: true\nenable_registration_without_verification: true'
const BY_TOKEN = 'enable_registration: true\nregistration_requires_token: true'
const dummy = (session?: string) => ({ type: 'm.login.dummy', ...(session === undefined ? {} : { session }) })
const tokenAuth = (token: string, session?: string) => ({
  type: 'm.login.registration_token',
  token,
  ...(session === undefined ? {} : { session }),
})

const issue = async (
  { services }: TestHomeserver,
  token: string,
  usesAllowed: number | undefined,
  expiresTs?: number,
) => {
  const row = { token, usesAllowed, pending: 0, completed: 0, expiresTs }
  assert.ok((await services.commit(new Change().write(registrationTokenAdded, row))).ok)
}
const counts = async ({ services }: TestHomeserver, token: string) => {
  const row = await registrationTokenOf(services.db, token)
  return [row?.pending, row?.completed]
}

eachHomeserver(
  'a user registers in two steps and is logged in on a new device',
  async ({ stranger, serverName }) => {
    const client = stranger()
    const body = { username: 'Alice', password: 'secret', initial_device_display_name: 'Phone \0 \ud800' }
    const { session, refused } = await challenge(client, register, { body })
    assert.deepEqual(refused.body['flows'], [{ stages: ['m.login.dummy'] }])
    assert.equal(refused.body['completed'], undefined)
    const made = await client.call(register, { body: { ...body, auth: dummy(session) } })
    assert.equal(made.user_id, `@alice:${serverName}`)
    assert.equal(made.home_server, serverName)
    assert.equal(made.refresh_token, undefined)
    client.accessToken = made.access_token
    const owner = await client.call(getTokenOwner)
    assert.deepEqual(owner, { user_id: made.user_id, device_id: made.device_id, is_guest: false })
    const { devices } = await client.call(getDevices)
    assert.deepEqual(
      devices?.map(({ device_id, display_name }) => [device_id, display_name]),
      [[made.device_id, 'Phone \0 \ud800']],
    )
    assert.equal((await client.call(getUserProfile, { params: { userId: made.user_id } })).displayname, 'alice')
    const again = await client.refused(register, { body: { ...body, username: 'ALICE', auth: dummy() } })
    assert.deepEqual([again.status, again.errcode], [400, 'M_USER_IN_USE'])
  },
  { config: OPEN },
)

eachHomeserver(
  'later requests need not repeat what the first one asked for, and the one who lost the last answer asks again',
  async ({ stranger, restart }) => {
    const client = stranger()
    const body = { username: 'bob', password: 'the secret of bob', device_id: 'BOBS', refresh_token: true }
    const { session } = await challenge(client, register, { body })
    await restart()
    const first = await client.call(register, { body: { auth: dummy(session) } })
    assert.equal(first.device_id, 'BOBS')
    assert.ok(first.refresh_token !== undefined && first.expires_in_ms !== undefined)
    const second = await client.call(register, { body: { auth: { session } } })
    assert.deepEqual([second.user_id, second.device_id], [first.user_id, first.device_id])
    client.accessToken = first.access_token
    assert.equal((await client.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
    const password = { type: 'm.login.password', user: 'bob', password: 'the secret of bob' }
    assert.equal((await client.call(login, { body: password })).user_id, first.user_id)
  },
  { config: OPEN },
)

eachHomeserver(
  'what cannot be registered is refused before anything else is asked',
  async ({ stranger, register: registerUser }) => {
    const client = stranger()
    await registerUser('alice')
    const refusals = async (username: string, password = 'secret') => {
      const { status, errcode } = await client.refused(register, { body: { username, password } })
      return [status, errcode]
    }
    assert.deepEqual(await refusals('alice'), [400, 'M_USER_IN_USE'])
    for (const name of ['', 'a b', 'a:b', '@alice:example.org', 'ü', '\0', '\ud800', '_bridge', 'x'.repeat(250)]) {
      assert.deepEqual(await refusals(name), [400, 'M_INVALID_USERNAME'], JSON.stringify(name))
    }
    for (const name of ['0', '1234', 'a.b_c=d-e/f+g']) {
      assert.equal((await challenge(client, register, { body: { username: name, password: 'x' } })).refused.status, 401)
    }
    assert.deepEqual(await refusals('carol', ''), [400, 'M_WEAK_PASSWORD'])
    assert.deepEqual(await refusals('carol', 'x'.repeat(513)), [400, 'M_INVALID_PARAM'])
    const wrong = await client.refused(register, { body: { username: 5 as never } })
    assert.equal(wrong.errcode, 'M_BAD_JSON')
    assert.equal((await client.refused(register, { query: { kind: 'robot' }, body: {} })).errcode, 'M_INVALID_PARAM')
    assert.equal((await client.refused(register, { raw: '{"username":' })).errcode, 'M_NOT_JSON')
    assert.equal((await client.refused(register)).errcode, 'M_NOT_JSON')
    const service = await client.refused(register, { body: { type: 'm.login.application_service', username: 'x' } })
    assert.deepEqual([service.status, service.errcode], [403, 'M_FORBIDDEN'])
    const missing = await client.refused(register, { body: { username: 'carol', auth: dummy() } })
    assert.deepEqual([missing.status, missing.errcode], [400, 'M_MISSING_PARAM'])
  },
  { config: OPEN },
)

eachHomeserver(
  'a stage that is none of the flow fails, and the authentication goes on',
  async ({ stranger }) => {
    const client = stranger()
    const body = { password: 'secret', inhibit_login: true }
    const { session } = await challenge(client, register, { body })
    for (const type of ['m.login.password', 'm.login.registration_token', 'org.example.\0\ud800']) {
      const refused = await client.refused(register, { body: { ...body, auth: { type, session } } })
      assert.deepEqual([refused.status, refused.errcode, refused.body['session']], [401, 'M_UNRECOGNIZED', session])
    }
    // A session that nobody gave out begins anew.
    const { session: other } = await challenge(client, register, {
      body: { ...body, auth: { session: 'not\0\ud800' } },
    })
    assert.notEqual(other, session)
    const made = await client.call(register, { body: { ...body, auth: dummy(session) } })
    assert.deepEqual(Object.keys(made).sort(), ['home_server', 'user_id'])
    assert.match(made.user_id, /^@[a-z0-9]{8,}:example.org$/)
  },
  { config: OPEN },
)

eachHomeserver(
  'of those who register the same name at once, one gets it',
  async ({ stranger }) => {
    const body = { username: 'race', password: 'secret', auth: dummy() }
    const answers = await Promise.all(Array.from({ length: 8 }, () => stranger().send(register, { body })))
    assert.equal(answers.filter(({ status }) => status === 200).length, 1)
    for (const { status, body: answer } of answers.filter((one) => one.status !== 200)) {
      assert.deepEqual([status, (answer as { errcode: string }).errcode], [400, 'M_USER_IN_USE'])
    }
  },
  { config: OPEN },
)

eachHomeserver(
  'a session makes one account however often it is used at once',
  async ({ stranger }) => {
    const client = stranger()
    const { session } = await challenge(client, register, { body: { password: 'secret' } })
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => client.send(register, { body: { auth: dummy(session) } })),
    )
    const made = answers.filter(({ status }) => status === 200).map(({ body }) => (body as { user_id: string }).user_id)
    assert.equal(new Set(made).size, 1)
    const retried = await client.call(register, { body: { auth: { session }, inhibit_login: true } })
    assert.equal(retried.user_id, made[0])
  },
  { config: OPEN },
)

eachHomeserver('registration is closed unless it is opened', async ({ stranger }) => {
  const client = stranger()
  const refused = await client.refused(register, { body: { username: 'alice', password: 'secret' } })
  assert.deepEqual([refused.status, refused.errcode], [403, 'M_FORBIDDEN'])
  const guest = await client.refused(register, { query: { kind: 'guest' }, body: {} })
  assert.deepEqual([guest.status, guest.errcode], [403, 'M_FORBIDDEN'])
  assert.equal((await client.refused(checkUsernameAvailability, { query: { username: 'alice' } })).status, 403)
})

eachHomeserver(
  'a name is told to be free, taken or impossible',
  async ({ stranger, register: registerUser, services }) => {
    const client = stranger()
    await registerUser('alice')
    const ask = (username: string) => client.send(checkUsernameAvailability, { query: { username } })
    assert.deepEqual((await ask('bob')).body, { available: true })
    const codes = []
    for (const name of ['alice', 'ALICE', 'a b', '_x', ''])
      codes.push(((await ask(name)).body as { errcode: string }).errcode)
    assert.deepEqual(codes, ['M_USER_IN_USE', 'M_USER_IN_USE', ...Array(3).fill('M_INVALID_USERNAME')])
    assert.equal((await client.refused(checkUsernameAvailability)).errcode, 'M_MISSING_PARAM')
    // Somebody who was only invited has no account.
    await services.users.number('@invited:example.org' as never)
    assert.deepEqual((await ask('invited')).body, { available: true })
    const body = { username: 'invited', password: 'secret', auth: dummy() }
    assert.equal((await client.call(register, { body })).user_id, '@invited:example.org')
    for (let count = 0; count < 20; count++) await ask('bob')
    assert.equal((await ask('bob')).status, 429)
  },
  { config: OPEN },
)

eachHomeserver(
  'where it is not told that a name is taken, one hears it at the end',
  async ({ stranger, register: registerUser }) => {
    await registerUser('alice')
    const client = stranger()
    const available = await client.call(checkUsernameAvailability, { query: { username: 'alice' } })
    assert.equal(available.available, true)
    const body = { username: 'alice', password: 'secret' }
    const { session } = await challenge(client, register, { body })
    const refused = await client.refused(register, { body: { ...body, auth: dummy(session) } })
    assert.equal(refused.errcode, 'M_USER_IN_USE')
  },
  { config: `${OPEN}\ninhibit_user_in_use_error: true` },
)

eachHomeserver(
  'a registration token lets in as many as it says',
  async (homeserver) => {
    await issue(homeserver, 'once', 1)
    const client = homeserver.stranger()
    const body = { username: 'alice', password: 'secret' }
    const { session, refused } = await challenge(client, register, { body })
    assert.deepEqual(refused.body['flows'], [{ stages: ['m.login.registration_token', 'm.login.dummy'] }])
    // The stages come in their order.
    const early = await client.refused(register, { body: { ...body, auth: dummy(session) } })
    assert.deepEqual([early.status, early.errcode], [401, 'M_UNRECOGNIZED'])
    for (const token of ['wrong', 'x'.repeat(65), '\0', '\ud800', 5 as never]) {
      const wrong = await client.refused(register, { body: { ...body, auth: tokenAuth(token, session) } })
      assert.deepEqual([wrong.status, wrong.errcode], [401, 'M_UNAUTHORIZED'])
    }
    const next = await client.refused(register, { body: { ...body, auth: tokenAuth('once', session) } })
    assert.deepEqual([next.errcode, next.body['completed']], ['undefined', ['m.login.registration_token']])
    assert.deepEqual(await counts(homeserver, 'once'), [1, 0])
    // A stage that is done is not done again.
    const repeated = await client.refused(register, { body: { ...body, auth: tokenAuth('once', session) } })
    assert.deepEqual([repeated.errcode, repeated.body['completed']], ['undefined', ['m.login.registration_token']])
    assert.deepEqual(await counts(homeserver, 'once'), [1, 0])
    const other = await homeserver.stranger().refused(register, { body: { auth: tokenAuth('once') } })
    assert.deepEqual([other.status, other.errcode], [401, 'M_UNAUTHORIZED'])
    await homeserver.restart()
    await client.call(register, { body: { ...body, auth: dummy(session) } })
    assert.deepEqual(await counts(homeserver, 'once'), [0, 1])
    const late = await homeserver.stranger().refused(register, { body: { auth: tokenAuth('once') } })
    assert.equal(late.errcode, 'M_UNAUTHORIZED')
  },
  { config: BY_TOKEN },
)

eachHomeserver(
  'of two who come for the last use of a token at once, one gets it',
  async (homeserver) => {
    await issue(homeserver, 'last', 1)
    await issue(homeserver, 'many', undefined)
    const attempt = (token: string) => homeserver.stranger().send(register, { body: { auth: tokenAuth(token) } })
    const answers = await Promise.all(Array.from({ length: 6 }, () => attempt('last')))
    const completed = answers.filter(({ body }) => Object.hasOwn(body as object, 'completed'))
    assert.equal(completed.length, 1)
    assert.deepEqual(await counts(homeserver, 'last'), [1, 0])
    await Promise.all(Array.from({ length: 6 }, () => attempt('many')))
    assert.deepEqual(await counts(homeserver, 'many'), [6, 0])
  },
  { config: BY_TOKEN },
)

const clock = movingClock()
eachHomeserver(
  'what nobody finished is forgotten, and its use of a token given back',
  async (homeserver) => {
    await issue(homeserver, 'once', 1)
    await issue(homeserver, 'short', undefined, clock.now() + 30 * 60_000)
    const client = homeserver.stranger()
    const first = await client.refused(register, { body: { auth: tokenAuth('once') } })
    assert.deepEqual(first.body['completed'], ['m.login.registration_token'])
    clock.move(61 * 60_000)
    const late = await client.refused(register, {
      body: { password: 'x', auth: dummy(String(first.body['session'])) },
    })
    assert.notEqual(late.body['session'], first.body['session'])
    await homeserver.services.sweeper.sweep()
    assert.deepEqual(await counts(homeserver, 'once'), [0, 0])
    const again = await client.refused(register, { body: { auth: tokenAuth('once') } })
    assert.deepEqual(again.body['completed'], ['m.login.registration_token'])
    const expired = await client.refused(register, { body: { auth: tokenAuth('short') } })
    assert.equal(expired.errcode, 'M_UNAUTHORIZED')
  },
  { config: BY_TOKEN, clock },
)

eachHomeserver(
  'an address that registers too often has to wait',
  async ({ stranger }) => {
    const attempt = () => stranger().send(register, { body: { password: 'secret', auth: dummy() } })
    assert.deepEqual([(await attempt()).status, (await attempt()).status], [200, 200])
    const refused = await attempt()
    assert.equal(refused.status, 429)
    assert.ok(Number(refused.headers.get('retry-after')) > 0)
    assert.ok((refused.body as { retry_after_ms: number }).retry_after_ms > 0)
  },
  { config: `${OPEN}\nrc_registration: { per_second: 0.01, burst_count: 2 }` },
)

eachHomeserver(
  'a module may object to a registration',
  async ({ stranger }) => {
    const body = { username: 'spammer', password: 'secret', auth: dummy() }
    const refused = await stranger().refused(register, { body })
    assert.deepEqual([refused.status, refused.errcode], [403, 'M_FORBIDDEN'])
    await stranger().call(register, { body: { ...body, username: 'alice' } })
  },
  {
    config: OPEN,
    modules: [
      {
        name: 'no spammers',
        callbacks: {
          checkRegistrationForSpam: (userId) =>
            userId.includes('spam') ? { ok: false, rule: 'spam', reason: 'No spam' } : { ok: true },
        },
      },
    ],
  },
)

eachHomeserver(
  'a guest has a device that the server picked, may not do everything, and becomes a user',
  async ({ stranger, services }) => {
    const guest = stranger()
    const made = await guest.call(register, {
      query: { kind: 'guest' },
      body: { username: 'wanted', device_id: 'WANTED', password: 'secret', initial_device_display_name: 'Kiosk' },
    })
    assert.notEqual(made.user_id, '@wanted:example.org')
    assert.notEqual(made.device_id, 'WANTED')
    guest.accessToken = made.access_token
    assert.equal((await guest.call(getTokenOwner)).is_guest, true)
    assert.equal((await guest.call(getDevices)).devices?.[0]?.display_name, 'Kiosk')
    const { logout } = await import('#api/client/logout.ts')
    assert.equal((await guest.refused(logout)).errcode, 'M_GUEST_ACCESS_FORBIDDEN')

    const username = made.user_id.slice(1).split(':')[0] ?? ''
    const body = { username, password: 'secret', auth: dummy(), guest_access_token: String(made.access_token) }
    const client = stranger()
    assert.equal((await client.refused(register, { body: { ...body, username: 'other' } })).errcode, 'M_FORBIDDEN')
    const { username: _, ...nameless } = body
    assert.equal((await client.refused(register, { body: nameless })).errcode, 'M_MISSING_PARAM')
    const wrong = await client.refused(register, { body: { ...body, guest_access_token: 'nonsense' } })
    assert.equal(wrong.errcode, 'M_UNKNOWN_TOKEN')
    const upgraded = await client.call(register, { body })
    assert.equal(upgraded.user_id, made.user_id)
    client.accessToken = upgraded.access_token
    assert.equal((await client.call(getTokenOwner)).is_guest, false)
    assert.equal((await guest.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
    assert.deepEqual(
      (await client.call(getDevices)).devices?.map(({ device_id }) => device_id),
      [upgraded.device_id],
    )
    const user = await client.refused(register, {
      body: { ...body, guest_access_token: String(upgraded.access_token) },
    })
    assert.equal(user.errcode, 'M_FORBIDDEN')
    assert.equal((await services.accounts.find(made.user_id as never))?.kind, 'user')
  },
  { config: `${OPEN}\nallow_guest_access: true` },
)
