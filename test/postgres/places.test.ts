import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { freePort } from '#test/helpers/free-port.ts'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { connectorFor, type Tried, tryConnecting } from '#test/helpers/postgres-connect.ts'

let first: PostgresCluster
let second: PostgresCluster
let folder: string

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'myelin-places-'))
  const abstract = `@myelin-${await freePort()}`
  first = await PostgresCluster.start({ hba: ['host all all 127.0.0.1/32 trust', 'local all all trust'], settings: {} })
  second = await PostgresCluster.start({
    hba: ['host all all 127.0.0.1/32 trust', 'local all all trust'],
    settings: { default_transaction_read_only: 'on', unix_socket_directories: abstract },
  })
  abstractSocket = abstract
})
let abstractSocket = ''
after(async () => {
  await first[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

const user = { user: 'postgres' }
const portOf = (tried: Tried): number | string => (tried.ok ? tried.port : tried.message)

test('hosts are tried in their order, over TCP, sockets and abstract sockets', async () => {
  const nobody = await freePort()
  const list = { ...user, host: `127.0.0.1,${first.sockets},127.0.0.1`, port: `${nobody},${first.port},${second.port}` }
  assert.equal(portOf(await tryConnecting(list)), first.port)
  assert.equal(portOf(await tryConnecting({ ...user, host: abstractSocket, port: String(second.port) })), second.port)
  assert.equal(
    portOf(await tryConnecting({ ...user, host: 'nosuch.invalid', hostaddr: '127.0.0.1', port: String(first.port) })),
    first.port,
  )
  const failed = await tryConnecting({ ...user, host: `127.0.0.1,nosuch.invalid,${folder}`, port: String(nobody) })
  assert.equal(failed.ok, false)
  if (failed.ok) return
  assert.match(failed.message, /connection to server at "127\.0\.0\.1", port \d+ failed: Connection refused/)
  assert.match(failed.message, /could not translate host name "nosuch\.invalid" to address/)
  assert.match(failed.message, /connection to server on socket ".*\.s\.PGSQL\.\d+" failed: No such file or directory/)
  assert.equal(failed.kind, 'DatabaseUnavailable')
})

test('the kind of server that is wanted is looked for among the hosts', async () => {
  const list = { ...user, host: '127.0.0.1,127.0.0.1', port: `${second.port},${first.port}` }
  for (const [wanted, port] of [
    ['any', second.port],
    ['read-write', first.port],
    ['read-only', second.port],
    ['primary', second.port],
    ['prefer-standby', second.port],
  ] as const)
    assert.equal(portOf(await tryConnecting({ ...list, target_session_attrs: wanted })), port, wanted)
  assert.match(
    String(portOf(await tryConnecting({ ...list, target_session_attrs: 'standby' }))),
    /server is not in hot standby mode/,
  )
  const only = { ...user, host: '127.0.0.1', port: String(second.port), target_session_attrs: 'read-write' }
  assert.match(String(portOf(await tryConnecting(only))), /session is read-only/)
})

test('hosts are balanced where that is said', async () => {
  const list = {
    ...user,
    host: '127.0.0.1,127.0.0.1',
    port: `${first.port},${second.port}`,
    load_balance_hosts: 'random',
  }
  const found = new Set<number | string>()
  for (let tries = 0; tries < 40 && found.size < 2; tries++) found.add(portOf(await tryConnecting(list)))
  assert.deepEqual(found, new Set([first.port, second.port]))
})

test('who is turned away by one host is not tried at the next', async () => {
  const list = { host: '127.0.0.1,127.0.0.1', port: `${first.port},${second.port}`, user: 'nosuch' }
  const tried = await tryConnecting(list)
  assert.equal(tried.ok, false)
  if (tried.ok) return
  assert.equal(tried.kind, 'DatabaseRefused')
  assert.match(tried.message, new RegExp(`port ${first.port} failed: FATAL: role "nosuch" does not exist`))
  assert.doesNotMatch(tried.message, new RegExp(`port ${second.port}`))
})

test('a host that says nothing is given up in time, and the next one tried', async () => {
  await using silent = await fakeServer(() => {})
  const list = { ...user, host: '127.0.0.1,127.0.0.1', port: `${silent.port},${first.port}`, connect_timeout: '1' }
  const startedAt = performance.now()
  assert.equal(portOf(await tryConnecting(list)), first.port)
  assert.ok(performance.now() - startedAt < 3_000)
  const tried = await tryConnecting({ ...user, host: '127.0.0.1', port: String(silent.port) }, { patienceMs: 300 })
  assert.match(String(portOf(tried)), /timeout expired/)
})

test('a service, a connection string and options of the session are heard', async () => {
  const file = join(folder, 'services')
  writeFileSync(file, `[matrix]\nhost=127.0.0.1\nport=${first.port}\nuser=postgres\noptions=-c search_path=elsewhere\n`)
  assert.equal(portOf(await tryConnecting({ service: 'matrix' }, { environment: { PGSERVICEFILE: file } })), first.port)
  const tried = await tryConnecting({
    dsn: `postgres://postgres@127.0.0.1:${first.port}/postgres?application_name=mine`,
    servicefile: file,
  })
  assert.ok(tried.ok)
  assert.deepEqual([tried.application, tried.timeout], ['mine', '61s'])
  const named = await tryConnecting({ ...user, host: '127.0.0.1', port: String(first.port) })
  assert.equal(named.ok && named.application, 'myelin test')
  const { client } = await connectorFor({ service: 'matrix', servicefile: file }).connect({ name: 'test' })
  const { rows } = await client.query('SHOW search_path')
  await client.end()
  assert.equal(rows[0].search_path, 'elsewhere')
})

test('the keepalives are on the socket', async (t) => {
  const read = async (args: Record<string, string>) => {
    const { socket } = await connectorFor({
      ...user,
      host: '127.0.0.1',
      port: String(first.port),
      ...args,
    }).connect({ name: 'test' })
    const found = await socketOptions(socket)
    // Node.js has handed the socket to the child; it reads no more from it.
    socket.destroy()
    return found
  }
  const usual = await read({ keepalives: '0' })
  if (usual === undefined) {
    t.skip('there is no perl to read the options of a socket with')
    return
  }
  const [, ...system] = usual
  assert.equal(usual[0], 0)
  assert.deepEqual(await read({}), [1, ...system])
  assert.deepEqual(
    await read({ keepalives_idle: '11', keepalives_interval: '7', keepalives_count: '4' }),
    [1, 11, 7, 4],
  )
  assert.deepEqual(await read({ keepalives_idle: '12' }), [1, 12, ...system.slice(1)])
})

/** `SO_KEEPALIVE`, `TCP_KEEPIDLE`, `TCP_KEEPINTVL` and `TCP_KEEPCNT`, as the kernel has them. */
function socketOptions(socket: Socket): Promise<number[] | undefined> {
  const script =
    'open(my $s, "+<&=3"); for my $o ([1,9],[6,4],[6,5],[6,6]) { print unpack("i", getsockopt($s,$o->[0],$o->[1])), " " }'
  return new Promise((resolve) => {
    const child = spawn('perl', ['-e', script], { stdio: ['ignore', 'pipe', 'ignore', socket] })
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
    })
    child.on('error', () => resolve(undefined))
    child.on('close', (code) => resolve(code === 0 ? output.trim().split(' ').map(Number) : undefined))
  })
}

type Fake = AsyncDisposable & { readonly port: number }

async function fakeServer(onConnection: (socket: Socket) => void): Promise<Fake> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
