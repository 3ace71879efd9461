import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { argv, exit, stderr, stdout, version } from 'node:process'
import { parseArgs } from 'node:util'
import { ServerProcess } from '#test/helpers/server-process.ts'
import { type Judged, judge } from './budget.ts'
import { calibrate } from './calibration.ts'
import { portFigures } from './port.ts'
import { resolution } from './resolution.ts'
import type { Figure, Progress } from './rows.ts'
import * as rows from './rows.ts'
import { startTimes } from './start-times.ts'
import { stateReplay } from './state-replay.ts'
import { Target } from './target.ts'

// npm run bench -- [--only NAME] [--runs 5] [--database sqlite|postgres] [--json FILE] [--url URL --secret SECRET]

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    only: { type: 'string' },
    runs: { type: 'string', default: '5' },
    database: { type: 'string' },
    json: { type: 'string' },
    url: { type: 'string' },
    secret: { type: 'string' },
    help: { type: 'boolean' },
  },
})

type Load = (target: Target, progress: Progress) => Promise<Figure[]>

/** The loads that any homeserver can be put under. */
const LOADS: Readonly<Record<string, Load>> = {
  latency: (target) => rows.sendToSync(target, { waiting: 100, perSecond: 200, seconds: 5 }),
  sends: (target) => rows.sends(target, { senders: 200, seconds: 5 }),
  syncs: (target) => rows.sendsWithSyncs(target, { rooms: 100, each: 10, seconds: 5 }),
  incremental: (target, progress) => rows.incremental(target, { many: 500, few: 5, times: 200 }, progress),
  initial: (target, progress) => rows.initial(target, { rooms: 500, times: 15 }, progress),
}

type Row = { readonly database: string } & Judged

const progress: Progress = (text) => {
  if (stderr.isTTY) stderr.write(`\r\x1b[K${text}`)
}
const wanted = (name: string) => values.only === undefined || name.includes(values.only)
const middle = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN

/** Runs a measurement several times and gives the median of each figure. */
async function medians(name: string, measure: () => Promise<Figure[]>): Promise<Figure[]> {
  const runs: Figure[][] = []
  for (let run = 1; run <= Number(values.runs); run++) {
    progress(`${name}, run ${run} of ${values.runs}`)
    runs.push(await measure())
  }
  return (runs[0] ?? []).map((figure, index) => ({
    ...figure,
    value: middle(runs.map((run) => run[index]?.value ?? Number.NaN)),
  }))
}

async function onOwn(database: 'sqlite' | 'postgres'): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const [name, load] of Object.entries(LOADS)) {
    if (!wanted(name)) continue
    figures.push(
      ...(await medians(`${database}: ${name}`, async () => {
        await using server = await ServerProcess.start(database)
        const target = new Target(server.url, server.secret)
        const found = await load(target, progress)
        target.close()
        return found
      })),
    )
  }
  if (wanted('waiting')) {
    figures.push(
      ...(await medians(`${database}: waiting`, async () => {
        await using server = await ServerProcess.start(database)
        const target = new Target(server.url, server.secret)
        const found = await rows.longPolls(target, { count: 10_000 }, async () => [
          { name: 'memory with 10,000 waiting', value: (await server.usage()).memoryMb, unit: 'MB' },
        ])
        target.close()
        return found
      })),
    )
  }
  return figures
}

function print(table: readonly Row[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`
  stdout.write(line(['what', 'database', 'measured', 'must', 'holds']) + line(['---', '---', '---', '---', '---']))
  for (const { name, database, value, unit, budget, holds } of table) {
    const digits = (number: number) => (number >= 100 ? number.toFixed(0) : number.toPrecision(3))
    const verdict = holds === undefined ? '' : holds ? 'yes' : '**no**'
    stdout.write(
      line([
        name,
        database,
        `${digits(value)} ${unit}`,
        budget === undefined ? '' : `${digits(budget)} ${unit}`,
        verdict,
      ]),
    )
  }
}

if (values.help === true) {
  stdout.write(
    'npm run bench -- [--only NAME] [--runs 5] [--database sqlite|postgres] [--json FILE] [--url URL --secret SECRET]\n',
  )
  exit(0)
}

const calibration = await calibrate()
const machine = `${cpus().length} x ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${version}`
stdout.write(
  `${machine}\ncalibration: cpu ${calibration.cpu.toFixed(2)}, disk ${calibration.disk.toFixed(2)}, start ${calibration.start.toFixed(2)} (1 is the machine of the budgets)\n`,
)
for (const { name, value, reference, unit } of calibration.primitives) {
  stdout.write(`  ${name}: ${value.toPrecision(3)} ${unit} (${reference})\n`)
}

const table: Row[] = []
if (values.url !== undefined) {
  const target = new Target(values.url, values.secret ?? '')
  for (const [name, load] of Object.entries(LOADS)) {
    if (!wanted(name)) continue
    const figures = await medians(name, () => load(target, progress))
    table.push(
      ...figures.map((figure) => ({
        ...judge(figure, 'sqlite', calibration),
        database: 'other',
        budget: undefined,
        holds: undefined,
      })),
    )
  }
  target.close()
} else {
  for (const database of ['sqlite', 'postgres'] as const) {
    if (values.database !== undefined && values.database !== database) continue
    const figures = await onOwn(database)
    table.push(...figures.map((figure) => ({ ...judge(figure, database, calibration), database })))
  }
  const others: (readonly [string, () => Promise<Figure[]>])[] = [
    ['start', startTimes],
    ['resolution', resolution],
  ]
  for (const [name, measure] of others) {
    if (!wanted(name)) continue
    const figures = await medians(name, measure)
    table.push(...figures.map((figure) => ({ ...judge(figure, 'sqlite', calibration), database: 'sqlite' })))
  }
  if (wanted('port')) {
    const figures = await medians('port', portFigures)
    table.push(...figures.map((figure) => ({ ...judge(figure, 'postgres', calibration), database: 'postgres' })))
  }
  if (wanted('states')) {
    const figures = await medians('states', stateReplay)
    for (const { name, ...figure } of figures) {
      const [, kind = '', what = ''] = /^state replay, (\w+).*?: (.*)$/.exec(name) ?? []
      const database = kind.toLowerCase().startsWith('sqlite') ? ('sqlite' as const) : ('postgres' as const)
      table.push({ ...judge({ ...figure, name: what }, database, calibration), database })
    }
  }
}
progress('')
print(table)
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ machine, calibration, table }, null, 2)}\n`)
exit(table.some(({ holds }) => holds === false) ? 1 : 0)
