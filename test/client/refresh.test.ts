import assert from 'node:assert/strict'
import { login } from '#api/client/login.ts'
import { refresh } from '#api/client/refresh.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { movingClock } from '#test/helpers/moving-clock.ts'

type Pair = { readonly access_token: string; readonly refresh_token?: string | undefined }

const loggedIn = async (homeserver: TestHomeserver, more: Record<string, unknown> = {}) => {
  const client = homeserver.stranger()
  const body = { type: 'm.login.password', user: 'alice', password: 'password of alice', refresh_token: true, ...more }
  const first = await client.call(login, { body })
  const exchange = (pair: Pair) => client.call(refresh, { body: { refresh_token: String(pair.refresh_token) } })
  const refused = async (pair: Pair) => {
    const {
      status,
      errcode,
      body: answer,
    } = await client.refused(refresh, {
      body: { refresh_token: String(pair.refresh_token) },
    })
    assert.deepEqual([status, errcode], [401, 'M_UNKNOWN_TOKEN'])
    return answer['soft_logout']
  }
  const use = async (pair: Pair) => {
    const answer = await client.with({ accessToken: pair.access_token, userId: '', deviceId: '' }).send(getTokenOwner)
    return answer.status === 200 ? 'good' : (answer.body as { soft_logout: boolean }).soft_logout
  }
  return { client, first, exchange, refused, use }
}

eachHomeserver('a refresh token stays good until a token it was exchanged for is used', async (homeserver) => {
  await homeserver.register('alice')
  const { first, exchange, refused, use } = await loggedIn(homeserver)
  assert.equal(first.expires_in_ms, 300_000)
  assert.equal(await use(first), 'good')
  const lost = await exchange(first)
  assert.equal(await use(first), 'good')
  const second = await exchange(first)
  assert.notEqual(second.access_token, lost.access_token)
  await homeserver.restart()
  assert.equal(await use(second), 'good')
  // The first use voids what was before, and what the lost answer had.
  assert.equal(await use(first), false)
  assert.equal(await use(lost), false)
  assert.equal(await use(second), 'good')
  const third = await exchange(second)
  assert.equal(await use(second), 'good')
  const fourth = await exchange(third)
  assert.deepEqual([await use(second), await use(third), await use(fourth)], [false, 'good', 'good'])
  assert.equal(await use(third), false)
  assert.equal(await refused(second), true)
})

eachHomeserver('a refresh token that was used before ends the session, softly', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const { client, first, exchange, refused, use } = await loggedIn(homeserver, { device_id: 'PHONE' })
  const second = await exchange(first)
  assert.equal(await use(second), 'good')
  const third = await exchange(second)
  assert.equal(await use(third), 'good')
  assert.equal(await refused(first), true)
  assert.deepEqual([await use(second), await use(third)], [false, true])
  assert.equal(await refused(third), true)
  assert.equal(await refused(second), true)
  await alice.call(getTokenOwner)
  const body = { type: 'm.login.password', user: 'alice', password: 'password of alice', device_id: 'PHONE' }
  const again = await client.call(login, { body })
  assert.equal(await use(again), 'good')
})

eachHomeserver('of what several exchanges of one token brought, what is used first is good', async (homeserver) => {
  await homeserver.register('alice')
  const { first, exchange, refused, use } = await loggedIn(homeserver)
  const pairs = await Promise.all([exchange(first), exchange(first), exchange(first)])
  const used = await Promise.all(pairs.map(use))
  assert.equal(used.filter((one) => one === 'good').length, 1)
  const others = pairs.filter((_, index) => used[index] !== 'good')
  assert.equal(await refused(others[0] ?? first), true)
})

eachHomeserver('what is no refresh token is refused', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const { client, first, refused } = await loggedIn(homeserver)
  for (const token of ['', 'nonsense', '\0', '\ud800', first.access_token, `${first.refresh_token}x`]) {
    assert.equal(await refused({ access_token: '', refresh_token: token }), false)
  }
  assert.equal((await client.refused(refresh, { body: {} as never })).errcode, 'M_MISSING_PARAM')
  assert.equal((await client.refused(refresh, { body: { refresh_token: 5 as never } })).errcode, 'M_BAD_JSON')
  await alice.call(getTokenOwner)
})

const clock = movingClock()
eachHomeserver(
  'tokens and sessions run out as configured',
  async (homeserver) => {
    await homeserver.register('alice')
    const { first, exchange, refused, use } = await loggedIn(homeserver)
    assert.equal(first.expires_in_ms, 60_000)
    clock.move(60_000)
    assert.equal(await use(first), true)
    const second = await exchange(first)
    assert.equal(await use(second), 'good')
    clock.move(10 * 60_000)
    assert.equal(await refused(second), true)

    const plain = await loggedIn(homeserver, { refresh_token: false })
    assert.deepEqual([plain.first.refresh_token, plain.first.expires_in_ms], [undefined, 120_000])
    clock.move(120_000)
    assert.equal(await plain.use(plain.first), true)

    const long = await loggedIn(homeserver)
    let pair: Pair & { readonly expires_in_ms?: number | undefined } = long.first
    for (let minutes = 0; minutes < 60; minutes += 9) {
      clock.move(9 * 60_000)
      if (minutes < 54) pair = await long.exchange(pair)
    }
    assert.equal(await long.refused(pair), true)
  },
  {
    clock,
    config: `
session_lifetime: 60m
refreshable_access_token_lifetime: 1m
refresh_token_lifetime: 10m
nonrefreshable_access_token_lifetime: 2m`,
  },
)
