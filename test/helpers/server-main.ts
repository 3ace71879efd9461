import { readFileSync } from 'node:fs'
import { argv } from 'node:process'
import { loadConfigText } from '#config/load.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import { RunningServer } from '#server/main.ts'
import { movingClock } from './moving-clock.ts'

// The server of the bench and of the faults: what `myelin start` runs, in a process of its own that tells where it listens, and how much
// memory it takes when it is asked.

const loaded = loadConfigText(readFileSync(argv[2] ?? '', 'utf8'))
if (!loaded.ok) throw new Error(loaded.problems.map(({ sentence }) => sentence).join('\n'))
const clock = movingClock()
clock.move(Number(argv[3] ?? 0))
const server = await RunningServer.start(loaded.config, clock)
process.on('message', (message: 'usage' | 'stop' | { readonly purge: RoomId }) => {
  if (message === 'usage') {
    const { user, system } = process.cpuUsage()
    process.send?.({ rss: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 })
  }
  if (typeof message === 'object')
    void server.homeserver.services.roomPurges.purgeRoom(message.purge, { isForced: true })
  if (message === 'stop') void server[Symbol.asyncDispose]().then(() => process.exit(0))
})
const { urls, services } = server.homeserver
process.send?.({ url: urls[0], position: services.database.start.position })
