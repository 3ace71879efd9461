import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A command of `bin/` as a newcomer runs it, with what it writes. */
export class StartedBin implements AsyncDisposable {
  readonly process: ChildProcess
  readonly out: string[] = []
  readonly err: string[] = []
  readonly #exit: Promise<number | null>
  readonly #watchers = new Set<() => void>()
  #isOver = false

  constructor(name: string, args: readonly string[], options: { readonly folder: string; readonly uid?: number }) {
    const path = fileURLToPath(new URL(`../../bin/${name}`, import.meta.url))
    this.process = spawn(path, [...args], {
      cwd: options.folder,
      env: { PATH: env['PATH'], HOME: options.folder, NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    })
    this.#read('out')
    this.#read('err')
    this.#exit = once(this.process, 'close').then(([code]) => {
      this.#isOver = true
      for (const watcher of this.#watchers) watcher()
      return code
    })
  }

  #read(from: 'out' | 'err'): void {
    const stream = from === 'out' ? this.process.stdout : this.process.stderr
    if (stream === null) return
    createInterface({ input: stream }).on('line', (line) => {
      this[from].push(line)
      for (const watcher of this.#watchers) watcher()
    })
  }

  /** The first line that matches, as soon as it is there. */
  line(pattern: RegExp, from: 'out' | 'err' = 'out'): Promise<string> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this[from].find((line) => pattern.test(line))
        if (found === undefined && !this.#isOver) return
        this.#watchers.delete(look)
        if (found !== undefined) resolve(found)
        else reject(new Error(`it ended without ${pattern}: ${[...this.out, ...this.err].join('\n')}`))
      }
      this.#watchers.add(look)
      look()
    })
  }

  /** Its exit code, once it has ended by itself; `null` where a signal ended it. */
  exit(): Promise<number | null> {
    return this.#exit
  }

  stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.process.kill(signal)
    return this.#exit
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill('SIGKILL')
    await this.#exit
  }
}

/** A folder that is gone afterwards. */
export const freshFolder = (): Disposable & { readonly path: string } => {
  const path = mkdtempSync(join(tmpdir(), 'myelin-start-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** A port that nobody listened on a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A configuration in a folder of a test's own. What `more` says at the top counts over this. */
export const configuration = (
  folder: string,
  { port, database, more = '' }: { readonly port: number; readonly database?: string; readonly more?: string },
): string => `server_name: start.example
listeners:
  - { port: ${port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client] }] }
${database ?? `database: { name: sqlite3, args: { database: "${folder}/homeserver.db" } }`}
registration_shared_secret: secret of a start
bcrypt_rounds: 4
media_store_path: ${folder}/media
signing_key_path: ${folder}/signing.key
${more}
`
