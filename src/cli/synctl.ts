import { spawn } from 'node:child_process'
import { existsSync, realpathSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Argument, Command } from 'commander'
import { loadSection } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { database } from '#config/sections/database.ts'
import { logging } from '#config/sections/logging.ts'
import { server } from '#config/sections/server.ts'
import { lastLines } from './last-lines.ts'
import { isAlive, standingOf } from './own-process.ts'
import { CommandFailure, type Terminal } from './terminal.ts'
import { type Colour, coloured } from './terminal-colours.ts'

type Action = 'start' | 'stop' | 'restart' | 'status'
type Options = { readonly worker?: string; readonly allProcesses?: string; readonly daemonize: boolean }

/** How often a process that ends is looked at. */
const POLL_MS = 100
/** A server ends within 20 seconds, whatever happens to it. */
const PATIENCE_MS = 40_000
const SLOW_MS = 3_000
/** As much of the log is shown when something went wrong. */
const SHOWN_LINES = 15
/** What `status` ends with where nothing runs, as init scripts do. */
const NOT_RUNNING = 3

/** Starts and stops the server in the background, as Synapse's script of that name. */
export const command = (terminal: Terminal): Command =>
  new Command('synctl')
    .description(
      'Start or stop the server in the background. Ends with 0 when that is done, and with 1 when it is not.',
    )
    .addArgument(new Argument('<action>', 'what to do').choices(['start', 'stop', 'restart', 'status']))
    .argument('[config]', 'the configuration: a file, or a folder of .yaml files', 'homeserver.yaml')
    .option(
      '-a, --all-processes <folder>',
      'start or stop workers too; Myelin has none, so that this is the server alone',
    )
    .option('-w, --worker <file>', 'start or stop a single worker; Myelin has none, so that nothing is done')
    .option('--no-daemonize', 'stay in the foreground')
    .action(async (action: Action, config: string, options: Options) => {
      if (options.worker !== undefined && options.allProcesses !== undefined)
        throw new CommandFailure('--worker and --all-processes cannot be given together.')
      if (!existsSync(config))
        throw new CommandFailure(
          `There is no configuration ${config}. To make one: myelin generate-config -c ${config} -H SERVER_NAME --report-stats=no`,
        )
      if (options.worker !== undefined) {
        terminal.err('Myelin has no workers: the server does what they would do. Nothing was done.')
        return
      }
      await new Control(config, options, terminal).run(action)
    })

class Control {
  readonly #config: string
  readonly #options: Options
  readonly #terminal: Terminal
  readonly #pidFile: string

  constructor(config: string, options: Options, terminal: Terminal) {
    this.#config = config
    this.#options = options
    this.#terminal = terminal
    this.#pidFile = pidFileOf(config)
  }

  async run(action: Action): Promise<void> {
    if (action === 'status') return this.#status()
    if (action !== 'start') await this.#stop()
    if (action !== 'stop') await this.#start()
  }

  #status(): void {
    const standing = standingOf(this.#pidFile)
    if (standing.kind === 'running') {
      this.#say('green', `running (process ${standing.pid})`)
      return
    }
    const reason = standing.kind === 'stale' ? `: ${standing.reason}` : ''
    throw new CommandFailure(this.#paint('yellow', `not running${reason}`), NOT_RUNNING)
  }

  async #stop(): Promise<void> {
    const standing = standingOf(this.#pidFile)
    if (standing.kind === 'none') {
      this.#say('yellow', 'not running')
      return
    }
    if (standing.kind === 'stale') {
      rmSync(this.#pidFile, { force: true })
      this.#say('yellow', `not running: ${standing.reason}. The pid file was removed.`)
      this.#warnOfLog()
      return
    }
    const { pid } = standing
    signal(pid)
    await this.#gone(pid)
    // One that was ended by force, or by itself in despair, leaves it behind.
    if (standingOf(this.#pidFile).kind === 'stale') rmSync(this.#pidFile, { force: true })
    this.#say('green', 'stopped')
    this.#warnOfLog()
  }

  /** Whoever copies the file of a database that was not closed would leave the last changes behind. */
  #warnOfLog(): void {
    const log = writeAheadLog(this.#config)
    if (log !== undefined)
      this.#terminal.err(
        `The database was not closed: ${log} is still there, and belongs to it. Start and stop the server once more before you copy the database.`,
      )
  }

  async #gone(pid: number): Promise<void> {
    const from = performance.now()
    let isTold = false
    while (isAlive(pid)) {
      const waited = performance.now() - from
      if (waited > PATIENCE_MS)
        throw new CommandFailure(this.#paint('red', `Process ${pid} does not end. ${this.#log()}`))
      if (waited > SLOW_MS && !isTold) {
        isTold = true
        this.#terminal.err(`Waiting for process ${pid}, which answers open requests.`)
      }
      await pause(POLL_MS)
    }
  }

  async #start(): Promise<void> {
    const standing = standingOf(this.#pidFile)
    if (standing.kind === 'running')
      throw new CommandFailure(this.#paint('red', `already running (process ${standing.pid})`))
    if (standing.kind === 'stale') {
      rmSync(this.#pidFile, { force: true })
      this.#say('yellow', `${standing.reason}. The pid file was removed.`)
    }
    if (!this.#options.daemonize) return this.#startInForeground()
    const { code, said } = await launch(['start', '-c', this.#config, '--daemonize'])
    if (code !== 0) {
      for (const line of said) this.#terminal.err(line)
      throw new CommandFailure(this.#paint('red', `The server did not start (exit code ${code}).`))
    }
    const now = standingOf(this.#pidFile)
    if (now.kind !== 'running')
      throw new CommandFailure(this.#paint('red', `The server started, and ended at once. ${this.#log()}`))
    this.#say('green', `started (process ${now.pid})`)
  }

  async #startInForeground(): Promise<void> {
    const child = spawn(process.execPath, [...process.execArgv, MAIN, 'start', '-c', this.#config], {
      stdio: 'inherit',
    })
    const pass = (name: NodeJS.Signals) => void child.kill(name)
    // A terminal gives Ctrl+C to both of us.
    const ignore = () => {}
    process.on('SIGTERM', pass).on('SIGHUP', pass).on('SIGINT', ignore)
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (ended) => resolve(ended ?? 1))
    })
    process.off('SIGTERM', pass).off('SIGHUP', pass).off('SIGINT', ignore)
    if (code !== 0) throw new CommandFailure(this.#paint('red', `The server ended with exit code ${code}.`), code)
  }

  /** The end of the log, where that is a file. */
  #log(): string {
    const found = loadSection(logging, [this.#config])
    if (!found.ok) return ''
    for (const { target } of found.value.outputs) {
      if (target.kind !== 'file') continue
      const lines = lastLines(target.path, SHOWN_LINES)
      if (lines.length > 0) return [`The end of ${target.path}:`, ...lines].join('\n')
    }
    return ''
  }

  #say(colour: Colour, sentence: string): void {
    this.#terminal.out(`${this.#config}: ${this.#paint(colour, sentence)}`)
  }

  #paint(colour: Colour, text: string): string {
    return coloured(this.#terminal, colour, text)
  }
}

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))

/** Runs a command of ours, and gives what it said, last lines last. Notices that it writes are passed on only where it fails. */
function launch(args: readonly string[]): Promise<{ readonly code: number; readonly said: readonly string[] }> {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-64 * 1024)
    })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ code: code ?? 1, said: said.split('\n').filter((line) => line.trim() !== '') }),
    )
  })
}

/** Where the server writes its number. A configuration that is wrong elsewhere can still be stopped. */
function pidFileOf(config: string): string {
  const found = loadSection(server, [config])
  if (!found.ok) throw new CommandFailure(found.problems.map(formatProblem).join('\n'))
  if (found.value.pidFile === undefined)
    throw new CommandFailure(
      `${config} has no pid_file, by which synctl knows the server. Add a line such as: pid_file: /var/lib/myelin/homeserver.pid`,
    )
  return found.value.pidFile
}

/** The write-ahead log of SQLite, if it is left behind. */
function writeAheadLog(config: string): string | undefined {
  const found = loadSection(database, [config])
  if (!found.ok || found.value.main.engine !== 'sqlite') return undefined
  const { path: named } = found.value.main
  // SQLite keeps it beside the file itself, whatever link leads there.
  const path = `${existsSync(named) ? realpathSync(named) : named}-wal`
  return existsSync(path) ? path : undefined
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPERM')
      throw new CommandFailure(`The server (process ${pid}) belongs to another account: stop it as that one.`)
    // It is gone already.
  }
}
