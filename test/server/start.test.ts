import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { join } from 'node:path'
import { getuid } from 'node:process'
import { test } from 'node:test'
import { sync } from '#api/client/sync.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { TestClient } from '#test/helpers/client.ts'
import { places } from '#test/helpers/homeserver.ts'
import { configuration, freePort, freshFolder, StartedBin } from '#test/helpers/started-bin.ts'

const client = (url: string, serverName = 'start.example') => new TestClient({ url: () => url, serverName })
const SECRET = { secret: 'secret of a start', admin: false }

/** Starts with the configuration, on a port of its own. */
const startWith = async (folder: string, options: { readonly database?: string; readonly more?: string } = {}) => {
  const port = await freePort()
  writeFileSync(join(folder, 'homeserver.yaml'), configuration(folder, { port, ...options }))
  const bin = new StartedBin('myelin', ['start'], { folder })
  return { bin, port, url: `http://127.0.0.1:${port}` }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, 'localhost', () => server.close(() => resolve(true)))
  })

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('a first start needs no configuration, and the next one goes on from it', async (t) => {
  if (!(await isFree(8008))) return t.skip('another program listens on port 8008')
  using folder = freshFolder()
  const data = join(folder.path, 'data')
  let token: string | undefined
  {
    await using bin = new StartedBin('myelin', ['start'], { folder: folder.path })
    await bin.line(/Press Ctrl\+C/)
    assert.match(bin.out[0] ?? '', /^Made a configuration for a server called localhost in .*\/data\.$/)
    assert.match(bin.out[1] ?? '', /^Myelin \S+ listens on http:\/\/localhost:8008\.$/)
    assert.equal(bin.out[2], `Its data is in ${data}.`)
    assert.match(bin.out[3] ?? '', /^To make the first account, run: \S+\/bin\/myelin register-user --admin$/)
    assert.equal(modeOf(data), '700')
    for (const name of readdirSync(data))
      assert.equal(modeOf(join(data, name)), name === 'media_store' ? '700' : '600', name)
    const command = ['register-user', '--admin', '-u', 'alice', '-p', 'wonderland 1']
    await using first = new StartedBin('myelin', command, { folder: folder.path })
    assert.equal(await first.exit(), 0, first.err.join('\n'))
    const bob = client('http://localhost:8008', 'localhost')
    const secret = readFileSync(join(data, 'registration_shared_secret'), 'utf8').trim()
    token = (await bob.registerBySecret('bob', { secret, admin: false })).accessToken
    assert.equal(await bin.stop('SIGTERM'), 0)
  }
  assert.deepEqual(
    readdirSync(data).filter((name) => /-(wal|shm)$/.test(name)),
    [],
  )
  const before = readFileSync(join(data, 'localhost.signing.key'), 'utf8')
  await using again = new StartedBin('myelin', ['start'], { folder: folder.path })
  await again.line(/Press Ctrl\+C/)
  assert.match(again.out[0] ?? '', /^Myelin \S+ listens on/)
  assert.ok(!again.out.some((line) => line.includes('first account')), 'there is an account already')
  assert.equal(readFileSync(join(data, 'localhost.signing.key'), 'utf8'), before)
  const bob = client('http://localhost:8008', 'localhost')
  bob.accessToken = token
  assert.equal((await bob.call(getTokenOwner)).user_id, '@bob:localhost')
  assert.equal(await again.stop('SIGINT'), 0)
  return undefined
})

for (const [kind, open] of places()) {
  test(`SIGTERM ends the server within seconds, and open requests are answered (${kind})`, {
    skip: open === undefined,
  }, async () => {
    if (open === undefined) return
    await using place = await open()
    const { bin, url } = await startWith(place.folder, { database: place.database, more: 'pid_file: the.pid' })
    await using _bin = bin
    await bin.line(/Press Ctrl\+C/)
    const pidFile = join(place.folder, 'the.pid')
    assert.equal(readFileSync(pidFile, 'utf8'), `${bin.process.pid}\n`)
    const alice = await client(url).registerBySecret('alice', SECRET)
    const { next_batch: since } = await alice.call(sync)
    const waiting = alice.send(sync, { query: { since, timeout: '60000' } })
    // The request is known to be there once another one on a new connection, sent later, is answered.
    await alice.call(getTokenOwner)
    await bin.line(/whoami/, 'err')
    const from = performance.now()
    const ended = bin.stop('SIGTERM')
    assert.equal((await waiting).status, 200)
    assert.equal(await ended, 0)
    assert.ok(performance.now() - from < 5_000)
    assert.ok(!existsSync(`${place.folder}/homeserver.db-wal`))
    assert.ok(!existsSync(pidFile))
    await using again = new StartedBin('myelin', ['start'], { folder: place.folder })
    await again.line(/Press Ctrl\+C/)
    assert.equal((await alice.call(getTokenOwner)).user_id, '@alice:start.example')
    assert.equal(await again.stop(), 0)
  })
}

test('a second SIGINT ends the server at once, though a request is open', async () => {
  using folder = freshFolder()
  const { bin, port, url } = await startWith(folder.path)
  await using _bin = bin
  await bin.line(/Press Ctrl\+C/)
  const alice = await client(url).registerBySecret('alice', SECRET)
  // A body that never comes to its end.
  const upload = request({ port, host: '127.0.0.1', method: 'POST', path: '/_matrix/media/v3/upload', agent: false })
  upload.setHeader('authorization', `Bearer ${alice.accessToken}`)
  upload.on('error', () => {})
  upload.write('x')
  await new Promise<void>((resolve) => upload.once('socket', (socket) => socket.once('connect', () => resolve())))
  await alice.call(getTokenOwner)
  bin.process.kill('SIGINT')
  await bin.line(/Press Ctrl\+C again/)
  const from = performance.now()
  assert.equal(await bin.stop('SIGINT'), 130)
  assert.ok(performance.now() - from < 4_000, 'it did not wait for the request')
  upload.destroy()
  // What was acknowledged is there.
  await using again = new StartedBin('myelin', ['start'], { folder: folder.path })
  await again.line(/Press Ctrl\+C/)
  assert.equal((await alice.call(getTokenOwner)).user_id, '@alice:start.example')
})

test('a port that another program has is told of in a sentence', async () => {
  using folder = freshFolder()
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const address = other.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  writeFileSync(join(folder.path, 'homeserver.yaml'), configuration(folder.path, { port, more: 'pid_file: the.pid' }))
  await using bin = new StartedBin('myelin', ['start'], { folder: folder.path })
  assert.equal(await bin.exit(), 71)
  assert.deepEqual(bin.err, [`Cannot listen on 127.0.0.1:${port}: another program listens there already.`])
  assert.deepEqual(bin.out, [])
  assert.ok(!existsSync(join(folder.path, 'the.pid')))
  other.close()
})

test('what keeps a start from succeeding is told in sentences, each with its exit code', async () => {
  using folder = freshFolder()
  const { path } = folder
  const cases: readonly (readonly [number, string, RegExp])[] = [
    [78, 'server_name: 3\nlistners: []', /c\.yaml:2:1 listners: There is no such option\. Did you mean listeners\?/],
    [78, 'server_name: [', /c\.yaml:1:/],
    [65, configuration(path, { port: 0 }).replace('homeserver.db', 'c.yaml'), /cannot be opened as a SQLite database/],
    [
      73,
      configuration(path, { port: 0 }).replace('homeserver.db', 'c.yaml/x/y.db'),
      /c\.yaml.*: this is not a folder|c\.yaml.*should be/,
    ],
    [
      69,
      configuration(path, {
        port: 0,
        database: 'database: { name: psycopg2, args: { host: 127.0.0.1, port: 1, user: a, dbname: b } }',
      }),
      /^PostgreSQL does not answer: /,
    ],
    [73, configuration(path, { port: 0, more: 'logging: { file: c.yaml/x.log }' }), /c\.yaml/],
  ]
  for (const [code, yaml, sentence] of cases) {
    writeFileSync(join(path, 'c.yaml'), yaml)
    await using bin = new StartedBin('myelin', ['start', '-c', 'c.yaml'], { folder: path })
    assert.equal(await bin.exit(), code, bin.err.join('\n'))
    assert.ok(
      bin.err.some((line) => sentence.test(line)),
      `${sentence}: ${bin.err.join('\n')}`,
    )
    assert.ok(!bin.err.some((line) => /^\s+at |node:internal/.test(line)), bin.err.join('\n'))
    assert.deepEqual(bin.out, [])
  }
  await using missing = new StartedBin('myelin', ['start', '-c', 'nowhere.yaml'], { folder: path })
  assert.equal(await missing.exit(), 78)
  assert.match(missing.err[0] ?? '', /nowhere\.yaml: There is no such file/)
  await using unknown = new StartedBin('myelin', ['start', '--confg', 'x'], { folder: path })
  assert.equal(await unknown.exit(), 2)
})

test('a folder in which nothing can be made is told of', {
  skip: getuid?.() === 0 ? false : 'needs root, to be somebody else',
}, async (t) => {
  using folder = freshFolder()
  await using bin = new StartedBin('myelin', ['start'], { folder: folder.path, uid: 65_534 })
  bin.process.on('error', () => t.skip('nobody may not run it'))
  const code = await bin.exit()
  if (bin.err.some((line) => /ermission denied/.test(line))) return t.skip('nobody may not run it')
  assert.equal(code, 73, bin.err.join('\n'))
  assert.match(bin.err.join('\n'), /data: Myelin may not write here: the permissions do not allow it\./)
  return undefined
})

test('a database is used by one server at a time, and by the one whose name it has', async () => {
  using folder = freshFolder()
  const { bin } = await startWith(folder.path)
  await using _bin = bin
  await bin.line(/Press Ctrl\+C/)
  await using second = new StartedBin('myelin', ['start'], { folder: folder.path })
  assert.equal(await second.exit(), 65)
  assert.match(second.err.join('\n'), /in use by another process\. Stop that one first\./)
  assert.equal(await bin.stop(), 0)
  const renamed = configuration(folder.path, { port: 0 }).replace('start.example', 'other.example')
  writeFileSync(join(folder.path, 'homeserver.yaml'), renamed)
  await using other = new StartedBin('myelin', ['start'], { folder: folder.path })
  assert.equal(await other.exit(), 65)
  assert.match(other.err.join('\n'), /belongs to the server start\.example/)
})

test('Synapse’s name and flags start it as well, into the background too', async () => {
  using folder = freshFolder()
  const { path } = folder
  const port = await freePort()
  mkdirSync(join(path, 'conf.d'))
  writeFileSync(join(path, 'a.yaml'), configuration(path, { port: 1, more: 'pid_file: the.pid' }))
  const more = `listeners: [{ port: ${port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client] }] }]`
  writeFileSync(join(path, 'conf.d/b.yaml'), `${more}\npresence: { enabled: true }\n`)
  const args = [
    '-c',
    'a.yaml',
    '--config-path=conf.d',
    '--report-stats',
    'no',
    '-H',
    'start.example',
    '-D',
    '--print-pidfile',
  ]
  await using bin = new StartedBin('synapse_homeserver', args, { folder: path })
  assert.equal(await bin.exit(), 0, bin.err.join('\n'))
  assert.equal(bin.out[0], join(path, 'the.pid'))
  assert.ok(bin.out.some((line) => line.includes(`listens on http://localhost:${port}.`)))
  assert.equal(bin.err.filter((line) => line.includes('conf.d/b.yaml:2:1 presence: Not used yet')).length, 1)
  const pid = Number(readFileSync(join(path, 'the.pid'), 'utf8'))
  assert.notEqual(pid, bin.process.pid)
  const alice = await client(`http://127.0.0.1:${port}`).registerBySecret('alice', SECRET)
  const { next_batch: since } = await alice.call(sync)
  const waiting = alice.send(sync, { query: { since, timeout: '60000' } })
  await alice.call(getTokenOwner)
  process.kill(pid, 'SIGTERM')
  assert.equal((await waiting).status, 200)
  // The answer of a server that ends comes before its end; the pid file goes with it.
  while (existsSync(join(path, 'the.pid'))) await new Promise((resolve) => setImmediate(resolve))
  await using wrong = new StartedBin('synapse_homeserver', ['-c', 'a.yaml', '-H', 'other.example'], { folder: path })
  assert.equal(await wrong.exit(), 78)
  await using failing = new StartedBin('synapse_homeserver', ['-c', 'a.yaml', '-D', '-d', 'a.yaml'], { folder: path })
  assert.equal(await failing.exit(), 65)
  assert.match(failing.err.join('\n'), /a\.yaml cannot be opened as a SQLite database/)
})
