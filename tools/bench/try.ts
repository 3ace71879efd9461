import { argv } from 'node:process'
import { ServerProcess } from '#test/helpers/server-process.ts'
import * as rows from './rows.ts'
import { Target } from './target.ts'

const kind = (argv[2] ?? 'sqlite') as 'sqlite' | 'postgres'
const what = argv[3] ?? 'sends'
await using server = await ServerProcess.start(kind, argv.slice(4))
const target = new Target(server.url, server.secret)
const begin = await server.usage()
const p = (t: string) => process.stderr.write(`${t}\r`)
if (what === 'sends') console.log(await rows.sends(target, { senders: 32, seconds: 4 }))
if (what === 'latency') console.log(await rows.sendToSync(target, { waiting: 100, perSecond: 200, seconds: 5 }))
if (what === 'both') console.log(await rows.sendsWithSyncs(target, { rooms: 100, each: 10, seconds: 5 }))
if (what === 'incr') console.log(await rows.incremental(target, { many: 500, few: 5, times: 200 }, p))
if (what === 'initial') console.log(await rows.initial(target, { rooms: 500, times: 10 }, p))
if (what === 'polls')
  console.log(
    await rows.longPolls(target, { count: 10000 }, async () => [
      { name: 'memory', value: (await server.usage()).memoryMb, unit: 'MB' },
    ]),
  )
const end = await server.usage()
console.log('cpu', end.cpuSeconds - begin.cpuSeconds, 'rss', (await server.usage()).memoryMb)
target.close()
