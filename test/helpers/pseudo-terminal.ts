import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('pseudo-terminal.py', import.meta.url))

/** Why there is no pseudo-terminal here, or false. */
export const noPseudoTerminal: string | false =
  spawnSync('python3', ['-c', 'import pty, fcntl, os; os.waitstatus_to_exitcode']).status === 0
    ? false
    : 'no python3 to make a pseudo-terminal with'

/** A command that runs on a terminal of a size, and all that it wrote there. */
export class PseudoTerminal implements AsyncDisposable {
  written = ''
  readonly #process: ChildProcess
  readonly #exit: Promise<number | null>
  readonly #watchers = new Set<() => void>()
  #isOver = false

  constructor(
    command: readonly string[],
    options: {
      readonly folder: string
      readonly columns: number
      readonly rows: number
      readonly env?: Readonly<Record<string, string>>
    },
  ) {
    this.#process = spawn('python3', [SCRIPT, String(options.columns), String(options.rows), ...command], {
      cwd: options.folder,
      env: {
        PATH: env['PATH'],
        HOME: options.folder,
        TERM: 'xterm-256color',
        NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'],
        ...options.env,
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.written += text
      for (const watcher of this.#watchers) watcher()
    })
    this.#exit = once(this.#process, 'close').then(([code]) => {
      this.#isOver = true
      for (const watcher of this.#watchers) watcher()
      return code
    })
  }

  /** As soon as something like that was written from a place on. */
  shows(pattern: RegExp, from = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const isThere = pattern.test(this.written.slice(from))
        if (!(isThere || this.#isOver)) return
        this.#watchers.delete(look)
        if (isThere) resolve()
        else reject(new Error(`it ended without ${pattern}: ${JSON.stringify(this.written.slice(-2000))}`))
      }
      this.#watchers.add(look)
      look()
    })
  }

  type(keys: string): void {
    this.#ask({ keys })
  }

  resize(columns: number, rows: number): void {
    this.#ask({ size: [columns, rows] })
  }

  signal(signal: number): void {
    this.#ask({ signal })
  }

  #ask(request: object): void {
    this.#process.stdin?.write(`${JSON.stringify(request)}\n`)
  }

  /** The exit code; 128 and its number where a signal ended the command. */
  get exitCode(): Promise<number | null> {
    return this.#exit
  }

  /** The command loses its terminal, if it still has it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) this.#process.kill('SIGKILL')
    await this.#exit
  }
}
