import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { sendMessage } from '#api/client/room-send.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { TestClient } from '#test/helpers/client.ts'
import { places } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'
import { configuration, freePort, freshFolder, StartedBin } from '#test/helpers/started-bin.ts'

const SECRET = { secret: 'secret of a start', admin: false }

const startWith = async (folder: string, options: { readonly database?: string; readonly more?: string } = {}) => {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  writeFileSync(join(folder, 'homeserver.yaml'), configuration(folder, { port, ...options }))
  const bin = new StartedBin('myelin', ['start'], { folder })
  await bin.line(/Press Ctrl\+C/)
  return { bin, port, url, client: () => new TestClient({ url: () => url, serverName: 'start.example' }) }
}

for (const [kind, open] of places()) {
  test(`each request is a line of the log in the shape that Synapse gives it (${kind})`, {
    skip: open === undefined,
  }, async () => {
    if (open === undefined) return
    await using place = await open()
    const { bin, port, url, client } = await startWith(place.folder, { database: place.database })
    await using _bin = bin
    const alice = await client().registerBySecret('alice', SECRET)
    const room = await roomOf([alice])
    const eventId = await say(alice, room, 'hello')
    await fetch(`${url}/_matrix/client/v3/rooms/${encodeURIComponent(room)}/event/${encodeURIComponent(eventId)}`, {
      headers: { authorization: `Bearer ${alice.accessToken}`, 'user-agent': 'Tester/1 "x"' },
    })
    const sent = await bin.line(/send\/m\.room\.message/, 'err')
    assert.match(
      sent,
      new RegExp(
        `^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z INFO     PUT-\\d+ 127\\.0\\.0\\.1 - ${port} - \\{@alice:start\\.example\\} ` +
          'Processed request: \\d+\\.\\d{3}sec/-?\\d+\\.\\d{3}sec ru=\\(0\\.000sec, 0\\.000sec\\) db=\\(0\\.000sec/\\d+\\.\\d{3}sec/\\d+\\) ' +
          '\\d+B 200 "PUT /_matrix/client/v3/rooms/\\S+/send/m\\.room\\.message/\\S+ HTTP/1\\.1" "[^"]+" \\[\\d+ dbevts\\]$',
      ),
    )
    assert.match(await bin.line(/\/event\//, 'err'), / "Tester\/1 "x"" \[\d dbevts\]$/)
    await fetch(`${url}/health`)
    await fetch(`${url}/_matrix/client/v3/nothing/here`)
    assert.match(await bin.line(/nothing\/here/, 'err'), /\{None\} Processed request: .* 404 "GET/)
    assert.ok(!bin.err.some((line) => line.includes('/health')), 'health checks are not written down')
    assert.equal(await bin.stop(), 0)
  })
}

test('what lets people in is never in the log, however it is written', async () => {
  using folder = freshFolder()
  const { bin, url, client } = await startWith(folder.path, { more: 'logging: { level: trace }' })
  await using _bin = bin
  const alice = await client().registerBySecret('alice', SECRET)
  const token = alice.accessToken ?? ''
  const paths = [
    `/_matrix/client/v3/account/whoami?access_token=${token}`,
    `/_matrix/client/v3/account/whoami?a=b&%61ccess_token=${token}&c=d`,
    `/_matrix/client/v3/account/whoami?ACCESS_TOKEN=${token}`,
    `/_matrix/client/v3/account/whoami?%zz=${token}`,
    `/nowhere?access%5Ftoken=${token}`,
    `/_matrix/client/v1/register/m.login.registration_token/validity?token=${token}`,
  ]
  for (const path of paths) await (await fetch(url + path)).text()
  await fetch(`${url}/the/end`)
  await bin.line(/the\/end/, 'err')
  const log = bin.err.join('\n')
  assert.ok(!log.includes(token) && !log.includes('password of alice') && !log.includes(SECRET.secret))
  assert.match(log, /whoami\?access_token=<redacted> HTTP/)
  assert.match(log, /whoami\?a=b&%61ccess_token=<redacted>&c=d HTTP/)
})

test('nobody can write a line of his own into the log', async () => {
  using folder = freshFolder()
  const { bin, port, url } = await startWith(folder.path)
  await using _bin = bin
  const raw = request({ port, host: '127.0.0.1', path: '/forged', headers: { 'user-agent': 'a\u0085b\u009b31m' } })
  await new Promise<void>((resolve, reject) => {
    raw.on('response', (response) => response.resume().on('end', resolve))
    raw.on('error', reject).end()
  })
  const line = await bin.line(/forged/, 'err')
  assert.match(line, /a\\u0085b\\u009b31m/)
  await fetch(`${url}/%0aERROR%1b`)
  assert.match(await bin.line(/%0aERROR%1b/i, 'err'), /INFO/)
})

test('as JSON, each line is an object that programs understand', async () => {
  using folder = freshFolder()
  const { bin, port, url, client } = await startWith(folder.path, { more: 'logging: { format: json }' })
  await using _bin = bin
  const alice = await client().registerBySecret('alice', SECRET)
  await alice.call(getTokenOwner)
  await fetch(`${url}/_matrix/client/v3/sync?access_token=x`)
  await bin.line(/v3\/sync/, 'err')
  const lines = bin.err.map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.ok(
    lines.some(
      ({ log, namespace, server }) => log === 'started' && namespace === 'myelin' && server === 'start.example',
    ),
  )
  const whoami = lines.find(({ operation }) => operation === 'getTokenOwner')
  assert.equal(whoami?.['namespace'], `synapse.access.http.${port}`)
  assert.equal(whoami?.['requester'], '@alice:start.example')
  assert.equal(whoami?.['status'], 200)
  assert.equal(whoami?.['level'], 'INFO')
  assert.match(String(whoami?.['request']), /^GET-\d+$/)
  assert.match(String(whoami?.['log']), /Processed request: /)
  assert.equal(typeof whoami?.['time'], 'number')
  assert.equal(lines.at(-1)?.['url'], '/_matrix/client/v3/sync?access_token=<redacted>')
})

const PYTHON = (folder: string, file: string, maxBytes: number) => `version: 1
formatters:
  precise: { format: '%(asctime)s - %(name)s - %(lineno)d - %(levelname)-8s - %(request)s - %(message)s' }
  structured: { class: synapse.logging.TerseJsonFormatter }
handlers:
  file: { class: logging.handlers.RotatingFileHandler, formatter: precise, filename: ${folder}/${file}, maxBytes: ${maxBytes}, backupCount: 2 }
  buffer: { class: synapse.logging.handlers.PeriodicallyFlushingMemoryHandler, target: file }
  console: { class: logging.StreamHandler, formatter: structured, stream: ext://sys.stdout, level: INFO }
loggers:
  synapse.access.http.hushed: { level: WARNING }
root: { level: INFO, handlers: [buffer, console] }
`

test('the settings of Python’s logging are followed: files, formats, levels of parts', async () => {
  using folder = freshFolder()
  const { path } = folder
  writeFileSync(join(path, 'log.yaml'), PYTHON(path, 'server.log', 3_000))
  const hushed = await freePort()
  const { bin, url, port } = await startWith(path, { more: 'log_config: log.yaml' })
  await using _bin = bin
  const file = join(path, 'server.log')
  for (let n = 0; n < 30; n++) await (await fetch(`${url}/number/${n}`)).text()
  const structured = JSON.parse(await bin.line(/number\/29/)) as Record<string, unknown>
  assert.equal(structured['status'], 404)
  assert.equal(await bin.stop(), 0)
  const texts = [`${file}.2`, `${file}.1`, file].map((name) => readFileSync(name, 'utf8'))
  assert.match(
    texts[2] ?? '',
    new RegExp(
      `^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d,\\d{3} - synapse\\.access\\.http\\.${port} - 0 - INFO     - GET-\\d+ - `,
      'm',
    ),
  )
  for (const text of texts) assert.ok(text.length <= 3_000, `a file has ${text.length} bytes`)
  assert.ok(!existsSync(`${file}.3`))
  assert.equal(statSync(file).mode & 0o777, 0o640)
  assert.notEqual(hushed, port)
})

test('a listener whose lines nobody wants is hushed, and a proxy names requests', async () => {
  using folder = freshFolder()
  const { path } = folder
  const [quiet, loud] = [await freePort(), await freePort()]
  writeFileSync(join(path, 'log.yaml'), PYTHON(path, 'server.log', 1_000_000))
  const listener = (port: number, more: string) =>
    `  - { port: ${port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client] }], ${more} }`
  const listeners = [
    'listeners:',
    listener(quiet, 'tag: hushed'),
    listener(loud, 'request_id_header: X-Request-Id, x_forwarded: true'),
  ]
  const yaml = configuration(path, { port: 1, more: 'log_config: log.yaml' }).replace(
    /listeners:\n.*\n/,
    `${listeners.join('\n')}\n`,
  )
  writeFileSync(join(path, 'homeserver.yaml'), yaml)
  await using bin = new StartedBin('myelin', ['start'], { folder: path })
  await bin.line(/Press Ctrl\+C/)
  await fetch(`http://127.0.0.1:${quiet}/in/silence`)
  const headers = { 'x-request-id': 'from-the-proxy', 'x-forwarded-for': '203.0.113.9' }
  await fetch(`http://127.0.0.1:${loud}/aloud`, { headers })
  const line = JSON.parse(await bin.line(/aloud/)) as Record<string, unknown>
  assert.equal(line['request'], 'from-the-proxy')
  assert.equal(line['ip_address'], '203.0.113.9')
  assert.ok(!bin.out.some((text) => text.includes('/in/silence')))
})

test('a file of the log that another program moved away is opened anew', async () => {
  using folder = freshFolder()
  const { path } = folder
  const { bin, url } = await startWith(path, { more: 'logging: { file: my.log }' })
  await using _bin = bin
  const file = join(path, 'my.log')
  await fetch(`${url}/one`)
  // The line is written some time after the answer.
  while (!readFileSync(file, 'utf8').includes('/one')) await new Promise((resolve) => setImmediate(resolve))
  renameSync(file, `${file}.old`)
  bin.process.kill('SIGHUP')
  while (!existsSync(file)) await new Promise((resolve) => setImmediate(resolve))
  await fetch(`${url}/two`)
  assert.equal(await bin.stop(), 0)
  assert.match(readFileSync(file, 'utf8'), /\/two/)
  assert.doesNotMatch(readFileSync(file, 'utf8'), /\/one/)
  assert.match(readFileSync(`${file}.old`, 'utf8') + readFileSync(file, 'utf8'), /started[\s\S]*stopped/)
})

test('a server whose log nobody reads any more goes on', async () => {
  using folder = freshFolder()
  const { bin, client } = await startWith(folder.path)
  await using _bin = bin
  const alice = await client().registerBySecret('alice', SECRET)
  const room = await roomOf([alice])
  bin.process.stderr?.destroy()
  for (let n = 0; n < 5; n++) await say(alice, room, `message ${n}`)
  const answer = await alice.send(sendMessage, {
    params: { roomId: room, eventType: 'm.room.message', txnId: 't' },
    body: { msgtype: 'm.text', body: 'still here' },
  })
  assert.equal(answer.status, 200)
  assert.equal(await bin.stop(), 0)
})
