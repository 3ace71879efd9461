import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { loadConfigText } from '#config/load.ts'
import { makeSigningKey } from '#protocol/signing/signing-key.ts'
import { Homeserver } from '#server/homeserver.ts'
import { openDatabase } from '#server/open-database.ts'
import { systemClock } from '#util/clock.ts'
import { silentLogger } from '#util/logger.ts'
import { systemRandom } from '#util/random.ts'

// The server of the bench: a process of its own that tells where it listens, and how much memory it takes when it is asked.

const loaded = loadConfigText(readFileSync(argv[2] ?? '', 'utf8'))
if (!loaded.ok) throw new Error(loaded.problems.map(({ sentence }) => sentence).join('\n'))
const signingKey = makeSigningKey(new Uint8Array(32).fill(9), 'bench')
if (signingKey === undefined) throw new Error('no key')
const { config } = loaded
const database = await openDatabase(config, { clock: systemClock, random: systemRandom })
const server = await Homeserver.start({
  config,
  database,
  signingKey,
  clock: systemClock,
  random: systemRandom,
  log: silentLogger,
  modules: [],
})
process.on('message', (message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ rss: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 })
  }
  if (message === 'stop') void server[Symbol.asyncDispose]().then(() => process.exit(0))
})
process.send?.({ url: server.urls[0], position: database.start.position })
