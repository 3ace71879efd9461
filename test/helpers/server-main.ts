import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { loadConfigText } from '#config/load.ts'
import { RunningServer } from '#server/main.ts'

// The server of the bench and of the faults: what `myelin start` runs, in a process of its own that tells where it listens, and how much
// memory it takes when it is asked.

const loaded = loadConfigText(readFileSync(argv[2] ?? '', 'utf8'))
if (!loaded.ok) throw new Error(loaded.problems.map(({ sentence }) => sentence).join('\n'))
const server = await RunningServer.start(loaded.config)
process.on('message', (message) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ rss: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 })
  }
  if (message === 'stop') void server[Symbol.asyncDispose]().then(() => process.exit(0))
})
const { urls, services } = server.homeserver
process.send?.({ url: urls[0], position: services.database.start.position })
