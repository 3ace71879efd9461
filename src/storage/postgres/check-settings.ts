import { networkInterfaces, totalmem } from 'node:os'
import type pg from 'pg'
import type { CheckOptions, Finding, SettingLine } from '#storage/check/finding.ts'
import { inBytes } from '#storage/check/finding.ts'
import * as found from '#storage/check/findings.ts'

const NAMES = [
  ...['shared_buffers', 'effective_cache_size', 'work_mem', 'maintenance_work_mem', 'autovacuum_work_mem'],
  ...['huge_pages', 'max_connections', 'autovacuum_max_workers', 'autovacuum'],
]
const UNITS: Readonly<Record<string, number>> = { B: 1, kB: 1024, '8kB': 8192, MB: 1024 ** 2 }
const MB = 1024 ** 2
const GB = 1024 ** 3

type Settings = ReadonlyMap<string, { readonly text: string; readonly value: number }>

/** Holds the settings that the page of PostgreSQL names against the memory of the machine. */
export const checkSettings = async (
  client: pg.Client,
  databaseBytes: number,
  { memoryBytes }: CheckOptions,
): Promise<{ readonly findings: readonly Finding[]; readonly settings: readonly SettingLine[] }> => {
  const settings = await settingsOf(client)
  const memory = memoryBytes ?? ((await isHere(client)) ? totalmem() : undefined)
  const judged = memory === undefined ? [] : judge(settings, memory, databaseBytes)
  const recommended = new Map(judged.map((one) => [one.name, one.recommended]))
  return {
    findings: [
      ...(memory === undefined ? [found.memoryUnknown({})] : []),
      ...judged.map(({ isWrong, ...setting }) => (isWrong ? found.settingWrong(setting) : found.settingLow(setting))),
    ],
    settings: [...settings].map(([name, { text }]) => ({ name, value: text, recommended: recommended.get(name) })),
  }
}

async function settingsOf(client: pg.Client): Promise<Settings> {
  const { rows } = await client.query(
    'SELECT name, setting, unit, current_setting(name) AS text FROM pg_settings WHERE name = ANY ($1) ORDER BY name',
    [NAMES],
  )
  return new Map(
    rows.map(({ name, setting, unit, text }) => [
      String(name),
      { text: String(text), value: Number(setting) * (UNITS[unit] ?? 1) },
    ]),
  )
}

/** Whether the database server is on this machine. */
async function isHere(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query('SELECT host(inet_server_addr()) AS address')
  const address = rows[0]?.address ?? undefined
  if (address === undefined || address === '::1' || address.startsWith('127.')) return true
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address))
}

type Judged = {
  readonly name: string
  readonly value: string
  readonly recommended: string
  readonly needsRestart: boolean
  readonly reason: string
  readonly isWrong: boolean
}

/** As PostgreSQL takes it, in whole megabytes. */
const asSetting = (bytes: number): string =>
  bytes >= 8 * GB ? `${Math.floor(bytes / GB)}GB` : `${Math.floor(bytes / MB)}MB`
const between = (least: number, wanted: number, most: number): number => Math.max(least, Math.min(wanted, most))

function judge(settings: Settings, memory: number, databaseBytes: number): readonly Judged[] {
  const of = (name: string) => settings.get(name)?.value ?? 0
  const judged: Judged[] = []
  const say = (
    name: string,
    recommended: string,
    options: { reason: string; isWrong: boolean; needsRestart?: boolean },
  ) => void judged.push({ name, value: settings.get(name)?.text ?? '', recommended, needsRestart: false, ...options })
  const machine = `this machine has ${inBytes(memory)}`
  const buffers = of('shared_buffers')
  const quarter = between(128 * MB, memory / 4, 32 * GB)
  if (buffers > memory / 2)
    say('shared_buffers', asSetting(quarter), {
      reason: `${machine}, and other things need some of it.`,
      isWrong: true,
      needsRestart: true,
    })
  else if (buffers < quarter / 2)
    say('shared_buffers', asSetting(quarter), {
      reason: `${machine}; a quarter of that serves a large server better.`,
      isWrong: databaseBytes > 16 * buffers && databaseBytes > 4 * GB,
      needsRestart: true,
    })
  const cache = of('effective_cache_size')
  if (cache > memory || cache < memory / 4)
    say('effective_cache_size', asSetting((memory * 3) / 4), {
      reason: `${machine}; the planner should know that about three quarters of it hold files.`,
      isWrong: cache > memory,
    })
  const connections = Math.max(1, of('max_connections'))
  const work = between(4 * MB, memory / 4 / connections, 64 * MB)
  if (of('work_mem') * connections > memory)
    say('work_mem', asSetting(work), {
      reason: `${connections} connections could take more than all of the memory (${machine}).`,
      isWrong: true,
    })
  else if (of('work_mem') < work / 4)
    say('work_mem', asSetting(work), { reason: `${machine}; sorting need not go to disk so early.`, isWrong: false })
  const upkeep = between(64 * MB, memory / 16, 2 * GB)
  if (of('maintenance_work_mem') < upkeep / 4)
    say('maintenance_work_mem', asSetting(upkeep), {
      reason: `${machine}; indexes are made and cleared faster with more.`,
      isWrong: false,
    })
  const vacuum = of('autovacuum_work_mem') < 0 ? of('maintenance_work_mem') : of('autovacuum_work_mem')
  const workers = of('autovacuum_max_workers')
  if (vacuum * workers > memory / 2)
    say('autovacuum_work_mem', asSetting(between(64 * MB, memory / 16 / workers, GB)), {
      reason: `${workers} workers of autovacuum could take half of the memory (${machine}).`,
      isWrong: true,
    })
  if (settings.get('autovacuum')?.text === 'off')
    say('autovacuum', 'on', { reason: 'nothing clears dead rows away.', isWrong: true })
  if (settings.get('huge_pages')?.text === 'off' && buffers >= 8 * GB)
    say('huge_pages', 'try', {
      reason: 'with so much in shared_buffers they save memory.',
      isWrong: false,
      needsRestart: true,
    })
  return judged
}
