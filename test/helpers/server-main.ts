import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { loadConfigText } from '#config/load.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import { RunningServer } from '#server/main.ts'
import { allRoutes } from '#server/routes.ts'
import { movingClock } from './moving-clock.ts'

// What `myelin start` runs, in a process of its own, for benches and for tests that kill it or must see it fall. It does what its parent's
// messages say.

const loaded = loadConfigText(readFileSync(argv[2] ?? '', 'utf8'))
if (!loaded.ok) throw new Error(loaded.problems.map(({ sentence }) => sentence).join('\n'))
const clock = movingClock()
clock.move(Number(argv[3] ?? 0))
const server = await RunningServer.start(loaded.config, clock)
const { urls, services } = server.homeserver

/** Bytes of the heap after collections, with empty caches; needs `--expose-gc`. */
const heapBytes = async (): Promise<number> => {
  const { budget } = services
  const { maxBytes } = budget
  budget.resize(0)
  budget.resize(maxBytes)
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc?.()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

process.on('message', (message: 'usage' | 'heap' | 'routes' | 'stop' | { readonly purge: RoomId }) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ rss: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 })
  }
  if (typeof message === 'object') void services.roomPurges.purgeRoom(message.purge, { isForced: true })
  if (message === 'heap') void heapBytes().then((bytes) => process.send?.({ bytes }))
  if (message === 'routes') process.send?.({ ids: allRoutes(services).map(({ endpoint }) => endpoint.id) })
  if (message === 'stop') void server[Symbol.asyncDispose]().then(() => process.exit(0))
})
process.send?.({ url: urls[0], position: services.database.start.position })
