import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { loadConfigText } from '#config/load.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import { makeSigningKey } from '#protocol/signing/signing-key.ts'
import { Homeserver } from '#server/homeserver.ts'
import { openDatabase } from '#server/open-database.ts'
import { allRoutes } from '#server/routes.ts'
import { silentLogger } from '#util/logger.ts'
import { systemRandom } from '#util/random.ts'
import { movingClock } from './moving-clock.ts'

// A server in a process of its own, for benches and for tests that kill it or must see it fall. It does what its parent's messages say. What
// it logs as an error goes to its standard error.

const loaded = loadConfigText(readFileSync(argv[2] ?? '', 'utf8'))
if (!loaded.ok) throw new Error(loaded.problems.map(({ sentence }) => sentence).join('\n'))
const signingKey = makeSigningKey(new Uint8Array(32).fill(9), 'bench')
if (signingKey === undefined) throw new Error('no key')
const { config } = loaded
const clock = movingClock()
clock.move(Number(argv[3] ?? 0))
const database = await openDatabase(config, { clock, random: systemRandom })
const server = await Homeserver.start({
  config,
  database,
  signingKey,
  clock,
  random: systemRandom,
  log: { ...silentLogger, error: (event, fields) => console.error(event, JSON.stringify(fields)) },
  modules: [],
})

/** Bytes of the heap after collections, with empty caches; needs `--expose-gc`. */
const heapBytes = async (): Promise<number> => {
  const { budget } = server.services
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
  if (typeof message === 'object') void server.services.roomPurges.purgeRoom(message.purge, { isForced: true })
  if (message === 'heap') void heapBytes().then((bytes) => process.send?.({ bytes }))
  if (message === 'routes') process.send?.({ ids: allRoutes(server.services).map(({ endpoint }) => endpoint.id) })
  if (message === 'stop') void server[Symbol.asyncDispose]().then(() => process.exit(0))
})
process.send?.({ url: server.urls[0], position: database.start.position })
