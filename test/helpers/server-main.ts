import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { loadConfigText } from '#config/load.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import { makeSigningKey } from '#protocol/signing/signing-key.ts'
import { Homeserver } from '#server/homeserver.ts'
import { openDatabase } from '#server/open-database.ts'
import { silentLogger } from '#util/logger.ts'
import { systemRandom } from '#util/random.ts'
import { movingClock } from './moving-clock.ts'

// A server in a process of its own, for benches and for tests that kill it. It does what its parent's messages say.

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
  log: silentLogger,
  modules: [],
})
process.on('message', (message: 'usage' | 'stop' | { readonly purge: RoomId }) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ rss: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 })
  }
  if (typeof message === 'object') void server.services.roomPurges.purgeRoom(message.purge, { isForced: true })
  if (message === 'stop') void server[Symbol.asyncDispose]().then(() => process.exit(0))
})
process.send?.({ url: server.urls[0], position: database.start.position })
