import assert from 'node:assert/strict'
import { getDevices } from '#api/client/device-management.ts'
import { login } from '#api/client/login.ts'
import { getUserProfile } from '#api/client/profile.ts'
import { checkUsernameAvailability, register } from '#api/client/registration.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { challenge } from '#test/helpers/interactive-auth.ts'

const OPEN = 'enable_registration: true\nenable_registration_without_verification: true'
const dummy = (session?: string) => ({ type: 'm.login.dummy', ...(session === undefined ? {} : { session }) })
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
    for (const name of [
      '',
      'a b',
      'a:b',
      '@alice:example.org',
      'ü',
      '\0',
      '\ud800',
      '_bridge',
      'x'.repeat(250),
      'x'.repeat(9000),
    ]) {
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
    const service = { body: { type: 'm.login.application_service', username: 'x' } }
    const nobody = await client.refused(register, service)
    assert.deepEqual([nobody.status, nobody.errcode], [401, 'M_MISSING_TOKEN'])
    client.accessToken = 'of no application service'
    const unknown = await client.refused(register, service)
    assert.deepEqual([unknown.status, unknown.errcode], [401, 'M_UNKNOWN_TOKEN'])
    client.accessToken = undefined
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
    for (const name of ['alice', 'ALICE', 'a b', '_x', '', 'x'.repeat(9000)])
      codes.push(((await ask(name)).body as { errcode: string }).errcode)
    assert.deepEqual(codes, ['M_USER_IN_USE', 'M_USER_IN_USE', ...Array(4).fill('M_INVALID_USERNAME')])
    assert.equal((await client.refused(checkUsernameAvailability)).errcode, 'M_MISSING_PARAM')
    // Somebody who was only invited has no account.
    await services.users.number('@invited:example.org' as never)
    assert.deepEqual((await ask('invited')).body, { available: true })
    const body = { username: 'invited', password: 'secret', auth: dummy() }
    assert.equal((await client.call(register, { body })).user_id, '@invited:example.org')
    for (let count = 0; count < 60; count++) await ask('bob')
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
