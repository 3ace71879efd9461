import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getMetrics } from '#api/metrics.ts'
import { sqlitePlace, startHomeserver } from '#test/helpers/homeserver.ts'
import { RawSocket } from '#test/helpers/raw-socket.ts'

/** Ways to write a path, all of which the router takes for the same. */
const spellings = (path: string): readonly string[] => [
  path,
  `${path}?a=b`,
  `${path};a`,
  `http://elsewhere.example${path}`,
  path.replace('m', '%6d').replace('M', '%4D'),
  path.replace('t', '%74'),
  `/.${path}`,
  `/x/..${path}`,
  `/${path}`,
]

test('no spelling of a path leads past what a listener is for', async () => {
  await using place = sqlitePlace()
  await using homeserver = await startHomeserver(place, { config: 'enable_metrics: true' })
  for (const path of [getMetrics.path, ...getMetrics.alsoAt]) {
    for (const target of spellings(path)) {
      const socket = new RawSocket(homeserver.url)
      socket.head(`GET ${target}`)
      const { status, body } = await socket.response()
      socket.close()
      assert.ok(status === 404 || status === 400, `${target}: ${status} ${body.slice(0, 100)}`)
    }
  }
})
