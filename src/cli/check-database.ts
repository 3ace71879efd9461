import { Command, InvalidArgumentError } from 'commander'
import type { Config } from '#config/config.ts'
import { loadConfig } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { checkDatabase } from '#server/check-database.ts'
import { type CheckReport, type Finding, inBytes, type Severity } from '#storage/check/finding.ts'
import { DatabaseRefused, DatabaseUnavailable } from '#storage/database.ts'
import { configOption, configPaths } from './config-paths.ts'
import { CommandFailure, type Terminal } from './terminal.ts'
import { type Colour, coloured } from './terminal-colours.ts'

/** What `check-database` ends with. */
export const CHECK_EXIT = { fine: 0, warning: 3, error: 4, unreachable: 69 } as const

type Options = {
  readonly config?: readonly string[]
  readonly json?: true
  readonly full?: true
  readonly memory?: number
}

/** As many tables are shown. */
const SHOWN_TABLES = 10
const LONG_TRANSACTION_SECONDS = 300

/** Says how the database is, and what to do about it. */
export const command = (terminal: Terminal): Command =>
  new Command('check-database')
    .description(
      'Say how the database is: counters, settings, sizes, indexes. Changes nothing, and works while the server runs. Ends with 0 if there are at most notes, 3 if there are warnings, 4 if there are errors, 69 if the database does not answer, and 1 if the configuration cannot be read.',
    )
    .addOption(configOption())
    .option('--json', 'print one JSON object')
    .option('--full', 'read every row and every index, which takes time')
    .option('--memory <size>', 'the memory of the machine of the database, such as 16GB', readMemory)
    .action(async ({ config: named, json, full, memory }: Options) => {
      const loaded = loadConfig({ paths: configPaths(named) })
      if (!loaded.ok) throw new CommandFailure(loaded.problems.map(formatProblem).join('\n'))
      const report = await reportOn(loaded.config, { isFull: full === true, memoryBytes: memory })
      const worst = worstOf(report.findings)
      if (json === true) terminal.out(JSON.stringify({ worst: worst ?? 'fine', ...report }, undefined, 2))
      else for (const line of linesOf(report, terminal, full === true)) terminal.out(line)
      // The findings say it all.
      if (worst === 'error' || worst === 'warning') throw new CommandFailure('', CHECK_EXIT[worst])
    })

async function reportOn(
  config: Config,
  options: { readonly isFull: boolean; readonly memoryBytes: number | undefined },
): Promise<CheckReport> {
  try {
    return await checkDatabase(config, { ...options, longTransactionSeconds: LONG_TRANSACTION_SECONDS })
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw new CommandFailure(error.message, CHECK_EXIT.unreachable)
    if (error instanceof DatabaseRefused) throw new CommandFailure(error.message, CHECK_EXIT.error)
    throw error
  }
}

const ORDER: readonly Severity[] = ['error', 'warning', 'note']
const COLOURS: Readonly<Record<Severity, Colour>> = { error: 'red', warning: 'yellow', note: 'dim' }

const worstOf = (findings: readonly Finding[]): Severity | undefined =>
  ORDER.find((severity) => findings.some((one) => one.severity === severity))

function linesOf(report: CheckReport, terminal: Terminal, isFull: boolean): readonly string[] {
  const worst = worstOf(report.findings)
  const { findings } = report
  return [
    coloured(terminal, 'bold', `${report.database}: ${inBytes(report.bytes)}`),
    ...ORDER.flatMap((severity) => findings.filter((one) => one.severity === severity)).flatMap((one) =>
      findingLines(one, terminal),
    ),
    ...settingLines(report, terminal),
    ...tableLines(report, terminal),
    ...(worst === undefined || worst === 'note'
      ? [
          coloured(
            terminal,
            'green',
            `Nothing is wrong${isFull ? '.' : ', as far as was looked; --full reads everything.'}`,
          ),
        ]
      : []),
  ]
}

function findingLines({ severity, sentence, id, advice }: Finding, terminal: Terminal): readonly string[] {
  const head = `${coloured(terminal, COLOURS[severity], `${severity}:`)} ${sentence} ${coloured(terminal, 'dim', `[${id}]`)}`
  return [head, ...(advice?.split('\n') ?? []).map((line) => `    ${line}`)]
}

function settingLines({ settings }: CheckReport, terminal: Terminal): readonly string[] {
  if (settings.length === 0) return []
  const lines = settings.map(
    ({ name, value, recommended }) =>
      `  ${name.padEnd(24)}${value}${recommended === undefined ? '' : `  (better: ${recommended})`}`,
  )
  return [coloured(terminal, 'bold', 'Settings'), ...lines]
}

function tableLines({ tables }: CheckReport, terminal: Terminal): readonly string[] {
  if (tables.length === 0) return []
  const line = (cells: readonly [string, string, string, string, string]) =>
    cells.map((cell, n) => (n === 0 ? cell.padEnd(26) : cell.padStart(12))).join('')
  const rows = tables
    .slice(0, SHOWN_TABLES)
    .map(({ name, bytes, indexBytes, rows: count, deadRows }) =>
      line([`  ${name}`, inBytes(bytes), inBytes(indexBytes), String(count ?? ''), String(deadRows ?? '')]),
    )
  return [coloured(terminal, 'bold', line(['Table', 'Size', 'Indexes', 'Rows', 'Dead'])), ...rows]
}

const FACTORS: Readonly<Record<string, number>> = { K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 }

function readMemory(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*([KMGT])i?B?$/i.exec(text)
  if (found === null) throw new InvalidArgumentError('Expected a size such as 16GB.')
  return Number(found[1]) * (FACTORS[String(found[2]).toUpperCase()] ?? 1)
}
