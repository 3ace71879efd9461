import assert from 'node:assert/strict'
import { register } from '#api/client/registration.ts'
import { registrationTokenValidity } from '#api/client/registration-tokens.ts'
import { Change } from '#storage/change.ts'
import { registrationTokenAdded, registrationTokenOf } from '#storage/stores/registration-tokens.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { challenge } from '#test/helpers/interactive-auth.ts'
import { movingClock } from '#test/helpers/moving-clock.ts'

const BY_TOKEN = 'enable_registration: true\nregistration_requires_token: true'
const dummy = (session: string) => ({ type: 'm.login.dummy', session })
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

const shortly = movingClock()
eachHomeserver(
  'whether a registration token is good can be asked, now and then',
  async (homeserver) => {
    await issue(homeserver, 'once', 1)
    await issue(homeserver, 'soon', undefined, shortly.now() + 1000)
    const client = homeserver.stranger()
    const isGood = async (token: string) => (await client.call(registrationTokenValidity, { query: { token } })).valid
    assert.deepEqual([await isGood('once'), await isGood('soon'), await isGood('none\0\ud800')], [true, true, false])
    shortly.move(1000)
    // Somebody is about to use it.
    await client.refused(register, { body: { username: 'alice', auth: tokenAuth('once') } })
    assert.deepEqual([await isGood('once'), await isGood('soon')], [false, false])
    assert.equal((await client.refused(registrationTokenValidity)).errcode, 'M_MISSING_PARAM')
    assert.equal((await client.refused(registrationTokenValidity, { query: { token: 'once' } })).status, 429)
  },
  { clock: shortly, config: `${BY_TOKEN}\nrc_registration_token_validity: { per_second: 0.01, burst_count: 5 }` },
)
