import assert from 'node:assert/strict'
import { existsSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { getMetrics } from '#api/metrics.ts'
import { TestClient } from '#test/helpers/client.ts'
import { places } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'
import { configuration, freePort, freshFolder, StartedBin } from '#test/helpers/started-bin.ts'

const SECRET = { secret: 'secret of a start', admin: false }

/** A configuration with these listeners instead of the one. */
const withListeners = (folder: string, listeners: readonly string[], more: { database?: string; more?: string } = {}) =>
  configuration(folder, { port: 1, ...more }).replace(
    /listeners:\n.*\n/,
    `listeners:\n${listeners.map((one) => `  - ${one}\n`).join('')}`,
  )

const startWith = async (folder: string, yaml: string) => {
  writeFileSync(join(folder, 'homeserver.yaml'), yaml)
  const bin = new StartedBin('myelin', ['start'], { folder })
  await bin.line(/Press Ctrl\+C/)
  return bin
}

/** What a Unix socket answers. */
const askSocket = (socketPath: string, path: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const asked = request({ socketPath, path, headers }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, body }))
    })
    asked.on('error', reject).end()
  })

test('a Unix socket has the permissions of the configuration, and believes what the proxy says', async () => {
  using folder = freshFolder()
  const socket = join(folder.path, 'matrix.sock')
  const yaml = withListeners(folder.path, [
    `{ path: ${socket}, mode: '660', type: http, resources: [{ names: [client] }] }`,
  ])
  {
    await using bin = await startWith(folder.path, yaml)
    assert.match(bin.out[0] ?? '', /listens on unix:.*\/matrix\.sock\.$/)
    assert.equal(statSync(socket).mode & 0o777, 0o660)
    assert.equal((await askSocket(socket, '/health')).body, 'OK')
    const { status } = await askSocket(socket, '/_matrix/client/versions', {
      'x-forwarded-for': '203.0.113.7, 10.0.0.1',
    })
    assert.equal(status, 200)
    assert.match(await bin.line(/client\/versions/, 'err'), / 203\.0\.113\.7 - .*matrix\.sock - /)
    await using second = new StartedBin('myelin', ['start', '-d', 'other.db'], { folder: folder.path })
    assert.equal(await second.exit(), 71)
    assert.match(second.err.join('\n'), /Cannot listen on .*matrix\.sock: another program listens there already\./)
    bin.process.kill('SIGKILL')
    await bin.exit()
  }
  assert.ok(existsSync(socket), 'a process that was killed leaves its socket')
  {
    await using again = await startWith(folder.path, yaml)
    assert.equal((await askSocket(socket, '/health')).status, 200)
    assert.equal(await again.stop(), 0)
  }
  assert.ok(!existsSync(socket))
  writeFileSync(socket, 'something else')
  await using refused = new StartedBin('myelin', ['start'], { folder: folder.path })
  assert.equal(await refused.exit(), 71)
  assert.match(refused.err.join('\n'), /there is a file of that name, which is no socket/)
})

test('a listener serves what it is for, on each of its addresses, and only the health check besides', async () => {
  using folder = freshFolder()
  const [client, federation, media] = [await freePort(), await freePort(), await freePort()]
  const yaml = withListeners(folder.path, [
    `{ port: ${client}, type: http, bind_addresses: ['127.0.0.1', '127.0.0.2', '2001:db8::1'], resources: [{ names: [client] }] }`,
    `{ port: ${federation}, type: http, resources: [{ names: [federation] }] }`,
    `{ port: ${media}, type: http, resources: [{ names: [media] }] }`,
  ])
  await using bin = await startWith(folder.path, yaml)
  assert.match(await bin.line(/address_left_out/, 'err'), /\[2001:db8::1\]:\d+: this machine has no/)
  const status = async (url: string) => (await fetch(url)).status
  for (const host of ['127.0.0.1', '127.0.0.2'])
    assert.equal(await status(`http://${host}:${client}/_matrix/client/versions`), 200)
  assert.equal(await status(`http://127.0.0.1:${federation}/_matrix/client/versions`), 404)
  assert.equal(await status(`http://127.0.0.1:${federation}/health`), 200)
  assert.equal(await status(`http://127.0.0.1:${client}/_synapse/metrics`), 404)
  for (const port of [client, media])
    assert.equal(await status(`http://127.0.0.1:${port}/_matrix/client/v1/media/config`), 401)
  assert.equal(await status(`http://127.0.0.1:${media}/_matrix/client/versions`), 404)
})

for (const [kind, open] of places()) {
  test(`metrics say what the server does, on their own listener alone (${kind})`, {
    skip: open === undefined,
  }, async () => {
    if (open === undefined) return
    await using place = await open()
    const [port, metricsPort] = [await freePort(), await freePort()]
    const yaml = withListeners(
      place.folder,
      [
        `{ port: ${port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client] }] }`,
        `{ port: ${metricsPort}, type: metrics, bind_addresses: ['127.0.0.1'] }`,
      ],
      { database: place.database, more: 'enable_metrics: true' },
    )
    await using bin = await startWith(place.folder, yaml)
    const url = `http://127.0.0.1:${port}`
    const alice = await new TestClient({ url: () => url, serverName: 'start.example' }).registerBySecret(
      'alice',
      SECRET,
    )
    const room = await roomOf([alice])
    for (let n = 0; n < 3; n++) await say(alice, room, `message ${n}`)
    await fetch(`${url}/_matrix/client/v3/sync`)
    await bin.line(/v3\/sync/, 'err')
    const answer = await fetch(`http://127.0.0.1:${metricsPort}/metrics`)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    const text = await answer.text()
    const value = (start: string) =>
      Number(
        text
          .split('\n')
          .find((line) => line.startsWith(start))
          ?.split(' ')
          .at(-1),
      )
    const sends = `method="PUT",servlet="sendMessage",tag="${port}"`
    assert.equal(value(`synapse_http_server_response_count_total{${sends}}`), 3)
    assert.equal(value(`synapse_http_server_response_time_seconds_count{${sends},code="200"}`), 3)
    assert.equal(value(`synapse_http_server_response_time_seconds_bucket{${sends},code="200",le="+Inf"}`), 3)
    assert.equal(value('synapse_http_server_responses_total{method="GET",code="401"}'), 1)
    assert.equal(value('synapse_http_server_in_flight_requests_count{servlet="sendMessage"}'), 0)
    assert.equal(value('synapse_http_server_in_flight_requests_count{servlet="getMetrics"}'), 1)
    assert.ok(value('synapse_storage_events_persisted_events_total') >= 9)
    assert.ok(value('myelin_commit_batch_changes_count') >= 4)
    assert.ok(value('myelin_commit_seconds_sum') > 0)
    assert.equal(value('myelin_commit_queue_changes'), 0)
    assert.equal(value('myelin_database_up{'), 1)
    assert.ok(value('myelin_database_reads_total') > 0)
    assert.ok(value('myelin_memory_used_bytes') > 0)
    assert.ok(value('process_resident_memory_bytes') > 0)
    assert.ok(value('nodejs_eventloop_lag_p99_seconds') >= 0)
    for (const line of text.split('\n').filter((one) => one !== ''))
      assert.match(line, /^(?:# (?:HELP|TYPE) .+|[a-zA-Z_:][\w:]*(?:\{.*\})? (?:[-+]?[\d.e+-]+|NaN|[-+]?Inf)) ?\d*$/)
    assert.equal((await fetch(`http://127.0.0.1:${metricsPort}${getMetrics.path}`)).status, 200)
    assert.equal((await fetch(`http://127.0.0.1:${metricsPort}/_matrix/client/versions`)).status, 404)
    assert.equal((await fetch(`${url}${getMetrics.path}`)).status, 404)
  })
}

test('metrics that are not enabled are not given out', async () => {
  using folder = freshFolder()
  const [port, metricsPort] = [await freePort(), await freePort()]
  const yaml = withListeners(folder.path, [
    `{ port: ${port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client, metrics] }] }`,
    `{ port: ${metricsPort}, type: metrics, bind_addresses: ['127.0.0.1'] }`,
  ])
  await using bin = await startWith(folder.path, yaml)
  await bin.line(/metrics_not_enabled/, 'err')
  assert.equal((await fetch(`http://127.0.0.1:${port}/_synapse/metrics`)).status, 404)
  await assert.rejects(fetch(`http://127.0.0.1:${metricsPort}/metrics`))
})
