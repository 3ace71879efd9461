import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { EXIT, readPortConfiguration } from '#cli/port/configuration.ts'
import { type Display, plainDisplay, screenDisplay } from '#cli/port/displays.ts'
import { PortProgress } from '#cli/port/progress.ts'
import { printReport } from '#cli/port/report.ts'
import { postgresPlace } from '#server/open-database.ts'
import { type PortEvent, type PortReport, port } from '#storage/port/port.ts'
import { systemRandom } from '#util/random.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

type Options = {
  readonly sqliteDatabase: string
  readonly postgresConfig: string
  readonly batchSize?: number
  readonly curses?: true
  readonly verbose?: true
  readonly verifyOnly?: true
  readonly reverse?: true
}

/** Copies a database from SQLite to PostgreSQL, as Synapse's `synapse_port_db` does; and back. */
export const command = (terminal: Terminal): Command =>
  new Command('port-database')
    .description(
      'Copy a database from SQLite to PostgreSQL, or what changed since the last time. Synapse calls it synapse_port_db.',
    )
    .requiredOption(
      '--sqlite-database <path>',
      'the file of SQLite, or a copy of it that was made while the server was stopped',
    )
    .requiredOption(
      '--postgres-config <path>',
      'the whole configuration of the server, with the PostgreSQL database in it',
    )
    .option(
      '--batch-size <rows>',
      'the most rows that are compared at once (by default as their size allows)',
      positive,
    )
    .option('--curses', 'show a full-screen display; what else there is to say goes to port-synapse.log')
    .option('--verify-only', 'copy nothing, only compare every row of both databases')
    .option('--reverse', 'copy from PostgreSQL into the file of SQLite')
    .option('-v, --verbose', 'say more')
    .action((options: Options) => run(options, terminal))

function positive(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Expected a whole number, at least 1.')
  return number
}

async function run(options: Options, terminal: Terminal): Promise<void> {
  const { sqliteDatabase, postgresConfig, reverse, verifyOnly } = options
  if (!existsSync(sqliteDatabase) && (reverse !== true || verifyOnly === true)) {
    throw new CommandFailure(`There is no file ${sqliteDatabase}.`, EXIT.noSqliteFile)
  }
  const config = readPortConfiguration(postgresConfig)
  const progress = new PortProgress(() => performance.now())
  const display = chooseDisplay(options, progress, terminal)
  try {
    const postgres = await postgresPlace(config)
    if (postgres === undefined) throw new CommandFailure('The database is not PostgreSQL.', EXIT.notPostgres)
    const report = await port({
      sqlitePath: sqliteDatabase,
      postgres,
      direction: reverse === true ? 'to sqlite' : 'to postgres',
      serverName: config.server.name,
      onlyVerify: verifyOnly === true,
      batchSize: options.batchSize,
      threads: Math.max(2, Math.min(4, availableParallelism())),
      randomBytes: systemRandom.bytes,
      on: (event) => follow(event, progress, display),
    })
    display.close()
    conclude(report, options, (line) => {
      display.record(line)
      terminal.out(line)
    })
  } catch (error) {
    display.close()
    const failure = asFailure(error, options)
    display.record(failure.message)
    throw failure
  }
}

function chooseDisplay({ curses }: Options, progress: PortProgress, terminal: Terminal): Display {
  const { stdout, env } = process
  if (curses === true && stdout.isTTY) {
    const hasColour = (env['NO_COLOR'] ?? '') === '' && stdout.hasColors()
    return screenDisplay(progress, { screen: stdout, hasColour })
  }
  if (curses === true) terminal.err('This is no terminal: the progress comes as plain lines.')
  return plainDisplay(progress, terminal, () => performance.now())
}

function follow(event: PortEvent, progress: PortProgress, display: Display): void {
  if (event.kind === 'note') display.note(event.text)
  else if (event.kind === 'step') progress.step = event.text
  else if (event.kind === 'counted') progress.counted(event.rows)
  else progress.told(event.progress)
  display.changed(event.kind === 'progress' ? event.progress.table : undefined)
}

function conclude(report: PortReport, { verifyOnly, reverse }: Options, tell: (line: string) => void): void {
  for (const line of printReport(report)) tell(line)
  if (!report.isEqual) throw new CommandFailure('The two databases are not equal.', EXIT.differs)
  if (report.counters.some(({ standing }) => standing === 'wrong'))
    throw new CommandFailure('The counters of the two databases do not agree.', EXIT.differs)
  if (report.wrongCounters.length > 0) {
    const place = (reverse === true) === (verifyOnly === true) ? 'the file of SQLite' : 'PostgreSQL'
    const next = verifyOnly === true ? '' : ' Then run this again: no server starts on the copy before.'
    throw new CommandFailure(
      `The counters of ${place} do not agree with its tables: see above. Stop every Myelin that uses it, make a backup, and run the SQL on it.${next}`,
      EXIT.differs,
    )
  }
  if (report.hasOddities) {
    throw new CommandFailure(
      report.isFinished
        ? 'All rows are copied, but not all of them as they were: see the list above.'
        : 'Some rows could not be copied: see the list above. Mend them in the source, then run this again.',
      EXIT.odd,
    )
  }
  tell(verifyOnly === true ? 'Both databases are equal.' : 'Done: every row is there, and was compared.')
}

/** Any failure is told in a sentence, and never ends with 0. */
function asFailure(error: unknown, { verbose }: Options): CommandFailure {
  if (error instanceof CommandFailure) return error
  const message = error instanceof Error && error.message !== '' ? error.message : 'The port failed without a reason.'
  const stack = verbose === true && error instanceof Error ? `\n${error.stack}` : ''
  return new CommandFailure(`${message}${stack}`, EXIT.failed)
}
