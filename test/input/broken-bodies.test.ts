import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpoints } from '#api/all.ts'
import type { Endpoint } from '#api/endpoint.ts'
import { MAX_BODY_BYTES } from '#http/server/body.ts'
import { RawSocket } from '#test/helpers/raw-socket.ts'
import { ServerProcess } from '#test/helpers/server-process.ts'
import { World } from './world.ts'

const bodied = endpoints.filter(
  ({ method, body, bodyKind }) => method !== 'GET' && (body !== undefined || bodyKind === 'bytes'),
)

test('a body that is too large is refused by every endpoint, and one that breaks off harms none', {
  timeout: 120_000,
}, async (t) => {
  await using server = await ServerProcess.start('sqlite', [], 'max_upload_size: 3M')
  const routed = await server.routedIds()
  const world = await World.make(server, 'alice')
  for (const endpoint of bodied) {
    if (!routed.has(endpoint.id)) {
      t.diagnostic(`skipped, declared but not routed: ${endpoint.id}`)
      continue
    }
    await world.prepare()
    for (const headers of [{ 'content-length': '20' }, { 'transfer-encoding': 'chunked' }]) {
      for (const begin of ['', '{"', '5\r\n{"a":', '{"a":"\ud800'])
        await breakOff(server, world, endpoint, { headers, begin })
    }
    await sendTooLarge(server, world, endpoint)
  }
  await world.prepare()
  assert.ok(server.isUp)
})

const open = (
  server: ServerProcess,
  world: World,
  { method, path }: Endpoint,
  headers: Readonly<Record<string, string>>,
) => {
  const socket = new RawSocket(server.url)
  const filled = path.replaceAll(/\{([A-Za-z]+)\}/g, (_, name: string) =>
    world.fill(PARAMS[name] ?? 'x', encodeURIComponent),
  )
  socket.head(`${method} ${filled}`, { ...headers, authorization: `Bearer ${world.token}` })
  return socket
}

const PARAMS: Readonly<Record<string, string>> = {
  roomId: '<<room>>',
  roomIdOrAlias: '<<room>>',
  roomAlias: '#any:process.example',
  userId: '<<user>>',
  eventId: '<<event>>',
  deviceId: '<<device>>',
  receiptType: 'm.read',
}

async function breakOff(
  server: ServerProcess,
  world: World,
  endpoint: Endpoint,
  { headers, begin }: { readonly headers: Readonly<Record<string, string>>; readonly begin: string },
): Promise<void> {
  const socket = open(server, world, endpoint, headers)
  socket.write(Buffer.from(begin, 'latin1'))
  await new Promise<void>((resolve) => socket.socket.end(resolve))
  await socket.closed()
}

async function sendTooLarge(server: ServerProcess, world: World, endpoint: Endpoint): Promise<void> {
  const bound = endpoint.bodyKind === 'bytes' ? 3 * 2 ** 20 : (endpoint.maxBodyBytes ?? MAX_BODY_BYTES)
  const declared = open(server, world, endpoint, { 'content-length': String(bound + 1) })
  assert.equal((await declared.response()).status, 413, endpoint.id)
  declared.close()
  const chunked = open(server, world, endpoint, { 'transfer-encoding': 'chunked' })
  const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`
  for (let sent = 0; sent <= bound; sent += 0x100000) chunked.write(chunk)
  const { status, body } = await chunked.response()
  assert.deepEqual([status, JSON.parse(body).errcode], [413, 'M_TOO_LARGE'], endpoint.id)
  chunked.close()
}
