import { Command, Option } from 'commander'
import type { Config } from '#config/config.ts'
import { loadConfig } from '#config/load.ts'
import { formatNotice, formatProblem } from '#config/problem.ts'
import { CannotStart, cannotStart, EXIT, RunningServer } from '#server/main.ts'
import { systemRandom } from '#util/random.ts'
import { collect } from './config-paths.ts'
import { continueInBackground, IN_BACKGROUND, sayReady } from './daemon.ts'
import { fileLimitWarning } from './file-limit.ts'
import { greeting } from './greeting.ts'
import { makeMissingFiles } from './missing-files.ts'
import { endedBySignal, watchForAccidents } from './signals.ts'
import { startConfiguration } from './start-configuration.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

/** What Synapse's `synapse_homeserver` understands. */
export type StartOptions = {
  readonly configPath?: readonly string[]
  readonly serverName?: string
  readonly databasePath?: string
  readonly enableRegistration?: true
  readonly enableMetrics?: true
  readonly daemonize?: true
  readonly printPidfile?: true
  readonly generateMissingAndRun?: true
  readonly manhole?: string
  /** This is the process in the background, and the other one has told the notices. */
  readonly inBackground?: true
}

/** Options of Synapse that are taken, so that its scripts work, and that change nothing here. */
const IGNORED = [
  '--config-directory <path>',
  '--data-directory <path>',
  '--report-stats <answer>',
  '--open-private-ports',
  '--no-secrets-in-config',
  '-n, --no-redirect-stdio',
  '-f, --log-file <path>',
]

/** Runs the server. */
export const command = (terminal: Terminal): Command => {
  const start = new Command('start')
    .description(
      'Run the server, with the configuration in homeserver.yaml or data/homeserver.yaml. Where there is none, make data/ with all that is needed.',
    )
    .addOption(
      new Option(
        '-c, --config-path <path>',
        'a configuration file, or a folder of .yaml files; of several, later ones count',
      ).argParser(collect),
    )
    .addOption(new Option('--config <path>').argParser(collect).hideHelp())
    .option('-H, --server-name <name>', 'refuse to start where the configuration names the server otherwise')
    .option('-d, --database-path <path>', 'a file of SQLite to use instead of the database in the configuration')
    .option('--enable-registration', 'let everybody make an account, as far as the configuration allows it')
    .option('--enable-metrics', 'collect metrics')
    .option('-D, --daemonize', 'go on in the background once the server listens')
    .option('--print-pidfile', 'print the path of the pid file first')
    .option('--generate-missing-and-run', 'make files that the configuration names and that are missing')
    .addOption(new Option('--manhole <port>').hideHelp())
    .addOption(new Option(IN_BACKGROUND).hideHelp())
  for (const flags of IGNORED) start.addOption(new Option(flags).hideHelp())
  return start.action((given: StartOptions & { config?: readonly string[] }) => {
    const paths = [...(given.configPath ?? []), ...(given.config ?? [])]
    return run(paths.length === 0 ? given : { ...given, configPath: paths }, terminal)
  })
}

async function run(options: StartOptions, terminal: Terminal): Promise<void> {
  try {
    const { paths, made } = startConfiguration(options)
    if (options.generateMissingAndRun === true) makeMissingFiles(paths, 'homeserver.log', terminal)
    const config = read(paths, options, terminal)
    const { server } = config
    const isPrinted = (server.isPidFilePrinted || options.printPidfile === true) && options.inBackground !== true
    if (isPrinted && server.pidFile !== undefined) terminal.out(server.pidFile)
    if ((server.isDaemon || options.daemonize === true) && options.inBackground !== true) {
      await continueInBackground(terminal)
      return
    }
    const running = await RunningServer.start(config)
    watchForAccidents(running)
    const greet = greeting({ config, urls: running.homeserver.urls, paths, named: options.configPath, made })
    for (const line of greet(await running.hasAccounts())) terminal.out(line)
    if (options.inBackground === true) sayReady()
    await endedBySignal(running, terminal)
  } catch (error) {
    if (error instanceof CommandFailure) throw error
    const { message, exitCode } = error instanceof CannotStart ? error : cannotStart(error)
    throw new CommandFailure(message, exitCode)
  }
}

/** The configuration; what is wrong with it and what has no effect is told. */
function read(paths: readonly string[], options: StartOptions, terminal: Terminal): Config {
  const commandLine = [
    ...(options.enableRegistration === true ? ['enable_registration: true'] : []),
    ...(options.enableMetrics === true ? ['enable_metrics: true'] : []),
    ...(options.databasePath === undefined
      ? []
      : [`database: { name: sqlite3, args: { database: ${JSON.stringify(options.databasePath)} } }`]),
  ].join('\n')
  const loaded = loadConfig({ paths, random: systemRandom, commandLine })
  if (options.inBackground !== true) for (const notice of loaded.notices) terminal.err(formatNotice(notice))
  if (!loaded.ok) {
    const problems = loaded.problems.map(formatProblem)
    throw new CommandFailure([...problems, 'Myelin does not start.'].join('\n'), EXIT.configuration)
  }
  const { config } = loaded
  if (options.serverName !== undefined && options.serverName !== config.server.name)
    throw new CommandFailure(
      `The configuration is that of ${config.server.name}, not of ${options.serverName}.`,
      EXIT.configuration,
    )
  if (options.manhole !== undefined) terminal.err('--manhole: Does not apply: a manhole runs code inside Python.')
  const limit = fileLimitWarning(config.server.softFileLimit)
  if (limit !== undefined) terminal.err(limit)
  return config
}
