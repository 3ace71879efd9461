import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { createGuardedServer } from '#http/server/connections.ts'
import { handClock } from '#test/helpers/hand-clock.ts'
import { sqlitePlace, startHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { type RawResponse, RawSocket } from '#test/helpers/raw-socket.ts'
import { systemClock } from '#util/clock.ts'

const CREATE_ROOM = 'POST /_matrix/client/v3/createRoom'
const UPLOAD = 'POST /_matrix/media/v3/upload'
const WHOAMI = 'GET /_matrix/client/v3/account/whoami'

type World = {
  readonly homeserver: TestHomeserver
  readonly clock: ReturnType<typeof handClock>
  readonly headers: Readonly<Record<string, string>>
  readonly open: () => RawSocket
}

const withServer = (name: string, body: (world: World) => Promise<void>): void => {
  test(name, async () => {
    const clock = handClock()
    await using place = sqlitePlace()
    await using homeserver = await startHomeserver(place, { clock })
    const { accessToken } = await homeserver.register('alice')
    const sockets: RawSocket[] = []
    const open = () => {
      const socket = new RawSocket(homeserver.url)
      sockets.push(socket)
      return socket
    }
    try {
      await body({ homeserver, clock, headers: { authorization: `Bearer ${accessToken}` }, open })
    } finally {
      for (const socket of sockets) socket.close()
    }
  })
}

const errorOf = ({ status, body }: RawResponse): readonly [number, string] => {
  const { errcode, error } = JSON.parse(body) as { errcode: string; error: string }
  assert.equal(typeof error, 'string')
  return [status, errcode]
}

withServer('a body that does not come is waited for a minute, and the connection ends then', async (world) => {
  for (const length of [{ 'content-length': '10' }, { 'transfer-encoding': 'chunked' }]) {
    const socket = world.open()
    socket.head(CREATE_ROOM, { ...world.headers, ...length })
    assert.deepEqual(errorOf(await world.clock.ringUntil(60_000, socket.response())), [408, 'M_UNKNOWN'])
    await world.clock.ringUntil(10_000, socket.closed())
  }
})

withServer('a body that comes byte by byte is a body', async ({ open, headers }) => {
  const socket = open()
  const body = '{"name":"slowly"}'
  socket.head(CREATE_ROOM, { ...headers, 'content-length': String(body.length) })
  for (const byte of body) {
    socket.write(byte)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal((await socket.response()).status, 200)
  socket.head(WHOAMI, headers)
  assert.equal((await socket.response()).status, 200)
})

withServer('an upload of which nothing comes for a minute is given up', async ({ open, headers, clock }) => {
  const socket = open()
  socket.head(UPLOAD, { ...headers, 'content-length': '1000' })
  socket.write('some')
  await clock.ringUntil(60_000, socket.closed())
})

withServer('the body of a stranger is not waited for', async ({ open, clock }) => {
  for (const request of [CREATE_ROOM, UPLOAD]) {
    const socket = open()
    socket.head(request, { 'content-length': '1000' })
    assert.deepEqual(errorOf(await socket.response()), [401, 'M_MISSING_TOKEN'])
    socket.write('x'.repeat(1_000))
    socket.head(WHOAMI, {})
    assert.equal((await socket.response()).status, 401, 'the connection goes on when the body came')
    socket.head(request, { 'content-length': '1000' })
    await socket.response()
    await clock.ringUntil(10_000, socket.closed())
  }
})

withServer('a body that nobody asked for does not hold the connection', async ({ open, clock, headers }) => {
  for (const request of [WHOAMI, 'DELETE /_matrix/client/v3/nothing', 'PATCH /_matrix/client/v3/createRoom']) {
    const socket = open()
    socket.head(request, { ...headers, 'content-length': '1000000' })
    assert.ok((await socket.response()).status < 500)
    await clock.ringUntil(10_000, socket.closed())
  }
})

withServer(
  'a body that is too large is refused before it comes, or as soon as it is',
  async ({ open, headers, clock }) => {
    const declared = open()
    declared.head(CREATE_ROOM, { ...headers, 'content-length': String(2 ** 31) })
    assert.deepEqual(errorOf(await declared.response()), [413, 'M_TOO_LARGE'])
    const chunked = open()
    chunked.head(CREATE_ROOM, { ...headers, 'transfer-encoding': 'chunked' })
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`
    for (let i = 0; i < 33; i++) chunked.write(chunk)
    assert.deepEqual(errorOf(await chunked.response()), [413, 'M_TOO_LARGE'])
    await clock.ringUntil(10_000, chunked.closed())
  },
)

withServer('a body takes no longer to read than it is long, whatever is in it', async ({ open, headers }) => {
  const size = 2_000_000
  for (const [body, status] of [
    [`{"name":"${'\\"'.repeat(size / 2)}`, 400],
    [`{"topic":"${'x'.repeat(size)}"}`, 413],
    [`{"x":[${'[],'.repeat(size / 3)}[]]}`, 200],
    [`{"x":${'['.repeat(size)}`, 400],
    [`{"name":"\\\\","x":{"]":"}","[[":1}}`, 200],
  ] as const) {
    const socket = open()
    socket.head(CREATE_ROOM, { ...headers, 'content-length': String(Buffer.byteLength(body)) })
    socket.write(body)
    const answer = await socket.response()
    assert.equal(answer.status, status, `${body.slice(0, 30)}: ${answer.body}`)
  }
})

withServer('a parameter as long as a head can be is only a wrong one', async ({ open, headers }) => {
  const socket = open()
  socket.head(`GET /_matrix/client/v3/devices/${'x'.repeat(10_000)}`, headers)
  assert.deepEqual(errorOf(await socket.response()), [400, 'M_INVALID_PARAM'])
})

withServer('what is no HTTP gets a Matrix error', async ({ open, headers }) => {
  const nonsense = open()
  nonsense.write('nonsense\r\n\r\n')
  assert.deepEqual(errorOf(await nonsense.response()), [400, 'M_UNKNOWN'])
  await nonsense.closed()
  const long = open()
  long.head(`GET /_matrix/client/versions?${'x'.repeat(20_000)}`)
  assert.deepEqual(errorOf(await long.response()), [431, 'M_TOO_LARGE'])
  await long.closed()
  const headed = open()
  headed.head(WHOAMI, { 'x-long': 'x'.repeat(20_000) })
  assert.deepEqual(errorOf(await headed.response()), [431, 'M_TOO_LARGE'])
  const both = open()
  both.head(CREATE_ROOM, { ...headers, 'content-length': '2', 'transfer-encoding': 'chunked' })
  assert.deepEqual(errorOf(await both.response()), [400, 'M_UNKNOWN'])
  const second = open()
  second.head(WHOAMI, headers)
  assert.equal((await second.response()).status, 200)
  second.write('nonsense\r\n\r\n')
  assert.deepEqual(errorOf(await second.response()), [400, 'M_UNKNOWN'])
  const broken = open()
  broken.head(CREATE_ROOM, { ...headers, 'transfer-encoding': 'chunked' })
  broken.write('zz\r\n')
  assert.deepEqual(errorOf(await broken.response()), [400, 'M_UNKNOWN'])
})

withServer('an expectation that nobody knows does not matter', async ({ open, headers }) => {
  const socket = open()
  socket.head(WHOAMI, { ...headers, expect: 'the unexpected' })
  assert.equal((await socket.response()).status, 200)
})

test('a client that does not take its answer is hung up on', async () => {
  const server = createGuardedServer(
    systemClock,
    (_request, response) => {
      response.end(Buffer.alloc(64 * 2 ** 20))
    },
    { stalledMs: 100 },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = new RawSocket(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const ended = new Promise<void>((resolve) => {
    server.once('request', (_request, response) => response.once('close', resolve))
  })
  socket.socket.pause()
  socket.head('GET /')
  await ended
  socket.close()
  server.close()
})

test('a request that waits for news is not hung up on', async () => {
  const server = createGuardedServer(
    systemClock,
    (_request, response) => {
      setTimeout(() => response.end('{}'), 300)
    },
    { stalledMs: 50 },
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = new RawSocket(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  socket.head('GET /')
  assert.equal((await socket.response()).status, 200)
  socket.close()
  server.close()
})
