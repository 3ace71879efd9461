import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { endpoints } from '#api/all.ts'
import { createApp } from '#http/server/app.ts'
import { silentLogger } from '#util/logger.ts'

/** The application with all endpoints, each of which answers what it understood of the request. Nobody is suspended or a guest. */
const application = () =>
  createApp({
    routes: endpoints.map((endpoint) => ({
      endpoint,
      handle: async ({ params, query, body }: { params: unknown; query: unknown; body: unknown }) => ({
        id: endpoint.id,
        params,
        query,
        body: endpoint.bodyKind === 'bytes' ? null : body,
      }),
    })),
    authenticate: async () =>
      ({ userId: '@a:example.org', isGuest: false, isSuspended: false, isAdmin: true }) as never,
    admit: () => {},
    began: () => {},
    answered: () => {},
    log: silentLogger,
    clock: { now: () => 0, after: () => () => {} },
    requestId: () => 'request',
  })

const app = application()

const ask = async (method: 'GET' | 'PUT' | 'POST', url: string, payload?: string) => {
  const response = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
  return response.json() as {
    id?: string
    errcode?: string
    error?: string
    params?: Record<string, string>
    body?: object
  }
}

const room = '/_matrix/client/v3/rooms/!r:example.org'

describe('a request', () => {
  test('for a state event may leave an empty state key out, with its slash or without', async () => {
    for (const base of [room, room.replace('v3', 'r0')]) {
      for (const [end, stateKey] of [
        ['', ''],
        ['/', ''],
        ['/key', 'key'],
        ['/a%2Fb', 'a/b'],
      ] as const) {
        const read = await ask('GET', `${base}/state/m.room.name${end}`)
        assert.equal(read.id, 'getRoomStateWithKey')
        assert.deepEqual(read.params, { roomId: '!r:example.org', eventType: 'm.room.name', stateKey })
        const written = await ask('PUT', `${base}/state/m.room.name${end}`, '{"name":"x"}')
        assert.equal(written.id, 'setRoomStateWithKey')
        assert.equal(written.params?.['stateKey'], stateKey)
      }
    }
  })

  test('for the whole state is told from one for an event of it', async () => {
    assert.equal((await ask('GET', `${room}/state`)).id, 'getRoomState')
    assert.equal((await ask('GET', `${room}/state/`)).errcode, 'M_INVALID_PARAM')
  })

  test('for push rules may end in a slash', async () => {
    assert.equal((await ask('GET', '/_matrix/client/v3/pushrules')).id, 'getPushRules')
    assert.equal((await ask('GET', '/_matrix/client/v3/pushrules/')).id, 'getPushRules')
  })

  test('finds endpoints by the names they had before', async () => {
    for (const url of [
      '/_matrix/client/unstable/keys/device_signing/upload',
      '/_matrix/client/r0/keys/device_signing/upload',
    ]) {
      assert.equal((await ask('POST', url, '{}')).id, 'uploadCrossSigningKeys')
    }
    assert.equal(
      (await ask('GET', '/_matrix/client/unstable/uk.tcpip.msc4133/profile/@a:example.org/m.tz')).id,
      'getProfileField',
    )
    assert.equal((await ask('POST', '/_matrix/media/r0/upload')).id, 'uploadContent')
  })

  test('invites a user or an address by the same route', async () => {
    const address = { id_server: 'id.example.org', id_access_token: 't', medium: 'email', address: 'a@example.org' }
    assert.equal((await ask('POST', `${room}/invite`, '{"user_id":"@b:example.org"}')).id, 'inviteUser')
    assert.equal((await ask('POST', `${room}/invite`, JSON.stringify(address))).id, 'inviteUser')
    assert.equal((await ask('POST', `${room}/invite`, '{}')).errcode, 'M_MISSING_PARAM')
    assert.equal((await ask('POST', `${room}/invite`, '{"user_id":"b"}')).errcode, 'M_INVALID_PARAM')
  })

  test('with a method that its path has not is told so, however the path is spelt', async () => {
    for (const path of [
      `${room}/joined_members`,
      `${room}/joined%5Fmembers`,
      `${room.replace('rooms', 'r%6Foms')}/state`,
    ]) {
      for (const method of ['PUT', 'POST', 'DELETE', 'PATCH', 'HEAD'] as const) {
        const { statusCode, headers } = await app.inject({ method, url: path })
        assert.equal(statusCode, 405, `${method} ${path}`)
        assert.equal(headers['access-control-allow-origin'], '*')
      }
    }
    for (const path of [`${room}/joined_members/`, `${room}/nothing`, '/']) {
      assert.equal((await app.inject({ method: 'PUT', url: path })).statusCode, 404)
    }
    assert.equal((await app.inject({ method: 'OPTIONS', url: `${room}/state` })).statusCode, 200)
  })

  test('without the body it needs is no JSON; where all is optional there need be none', async () => {
    assert.equal((await ask('POST', '/_matrix/client/v3/login')).errcode, 'M_NOT_JSON')
    assert.equal((await ask('POST', `${room}/leave`)).id, 'leaveRoom')
    assert.equal((await ask('POST', `${room}/join`)).id, 'joinRoomById')
  })

  test('is refused for what is wrong with it: path, query or body', async () => {
    assert.equal((await ask('GET', '/_matrix/client/v3/rooms/r/state')).errcode, 'M_INVALID_PARAM')
    assert.equal((await ask('GET', `${room}/messages`)).errcode, 'M_MISSING_PARAM')
    assert.equal((await ask('GET', `${room}/messages?dir=b&dir=f`)).errcode, 'M_INVALID_PARAM')
    assert.equal((await ask('PUT', `${room}/send/m.x/t1`, '[]')).errcode, 'M_BAD_JSON')
    assert.equal((await ask('PUT', `${room}/send/m.x/t1`, '1.5')).errcode, 'M_BAD_JSON')
  })
})
