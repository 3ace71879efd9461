import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { type PostgresServer, startPostgres } from './postgres-server.ts'
import type { Peek } from './table-counts.ts'

const SECRET = 'secret of a server of its own'
const UNLIMITED = '{ per_second: 1000000, burst_count: 1000000 }'
const LIMITS = [
  ...['message', 'registration', 'joins_per_room', 'room_creation', 'key_requests', 'reports'].map(
    (name) => `rc_${name}: ${UNLIMITED}`,
  ),
  `rc_login: { address: ${UNLIMITED}, account: ${UNLIMITED}, failed_attempts: ${UNLIMITED} }`,
  `rc_joins: { local: ${UNLIMITED}, remote: ${UNLIMITED} }`,
  `rc_invites: { per_room: ${UNLIMITED}, per_user: ${UNLIMITED}, per_issuer: ${UNLIMITED} }`,
].join('\n')

/** As `bin/myelin` starts it: with its bounds of memory, and with compiled code that is kept between starts. */
const LAUNCHER = readFileSync(new URL('../../bin/myelin', import.meta.url), 'utf8')
const HEAP = LAUNCHER.match(/--max-semi-space-size=\d+|--expose-gc/g) ?? []
const ENVIRONMENT = {
  ...env,
  MALLOC_ARENA_MAX: '2',
  NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'] ?? join(tmpdir(), 'myelin-compiled'),
}

/** A Myelin in a process of its own, that can be killed, on a fresh database that is as durable as real ones. */
export class ServerProcess implements AsyncDisposable {
  readonly secret = SECRET
  readonly folder: string
  /** The database server, where there is one. */
  readonly postgres: PostgresServer | undefined
  readonly #nodeArgs: readonly string[]
  readonly #more: string
  readonly #connection: Readonly<Record<string, string>>
  #process: ChildProcess | undefined
  url = ''
  /** Where the log stood when it was launched last. */
  startPosition = 0

  private constructor(parts: {
    readonly folder: string
    readonly postgres: PostgresServer | undefined
    readonly nodeArgs: readonly string[]
    readonly more: string
    readonly connection: Readonly<Record<string, string>>
  }) {
    this.folder = parts.folder
    this.postgres = parts.postgres
    this.#nodeArgs = parts.nodeArgs
    this.#more = parts.more
    this.#connection = parts.connection
  }

  /** Starts it. `nodeArgs`: for profiles. `more`: YAML that is added to the configuration. `connection`: parameters of the connection to PostgreSQL. */
  static async start(
    kind: 'sqlite' | 'postgres',
    nodeArgs: readonly string[] = [],
    more = '',
    connection: Readonly<Record<string, string>> = {},
  ): Promise<ServerProcess> {
    const folder = mkdtempSync(join(tmpdir(), 'myelin-process-'))
    const postgres = kind === 'postgres' ? await startPostgres('newest', { durable: true }) : undefined
    const server = new ServerProcess({ folder, postgres, nodeArgs, more, connection })
    await server.launch()
    return server
  }

  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Starts the process again, on the same data and at the same address, with a clock that is ahead by so much. */
  async launch(aheadMs = 0): Promise<void> {
    const file = join(this.folder, 'homeserver.yaml')
    writeFileSync(file, this.#config())
    const child = fork(new URL('./server-main.ts', import.meta.url), [file, String(aheadMs)], {
      execArgv: [...HEAP, ...this.#nodeArgs],
      env: ENVIRONMENT,
    })
    this.#process = child
    const [message] = (await once(child, 'message')) as [{ url: string; position: number }]
    this.url = message.url
    this.startPosition = message.position
  }

  /** Has a room purged, in the server's own time. */
  purge(roomId: string): void {
    this.#process?.send({ purge: roomId })
  }

  /** Where to look into its database. */
  get peek(): Peek {
    const { postgres, folder } = this
    return postgres === undefined
      ? { file: join(folder, 'homeserver.db') }
      : { client: { connectionString: postgres.uri } }
  }

  /** Ends the process as a power cut would, without a word. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child?.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Stops the process as an administrator would, and starts it again. */
  async restart(): Promise<void> {
    await this.#stop()
    await this.launch()
  }

  async #stop(): Promise<void> {
    const child = this.#process
    if (child?.exitCode !== null || child.signalCode !== null) return
    child.send('stop')
    await once(child, 'exit')
  }

  /** Megabytes that the process takes, and seconds of processor that it took. */
  async usage(): Promise<{ readonly memoryMb: number; readonly cpuSeconds: number }> {
    const { rss, cpuSeconds } = await this.#ask<{ rss: number; cpuSeconds: number }>('usage')
    return { memoryMb: rss / 1e6, cpuSeconds }
  }

  /** Whether the process runs still. */
  get isUp(): boolean {
    return this.#process?.exitCode === null && this.#process.signalCode === null
  }

  /** Bytes that the process holds after a collection, with empty caches; it must have been started with `--expose-gc`. */
  async heapBytes(): Promise<number> {
    return (await this.#ask<{ bytes: number }>('heap')).bytes
  }

  /** The IDs of the endpoints that have a route. */
  async routedIds(): Promise<ReadonlySet<string>> {
    return new Set((await this.#ask<{ ids: string[] }>('routes')).ids)
  }

  async #ask<Answer>(question: string): Promise<Answer> {
    this.#process?.send(question)
    const [message] = (await once(this.#process as ChildProcess, 'message')) as [Answer]
    return message
  }

  #config(): string {
    const sqlite = `{ name: sqlite3, args: { database: "${this.folder}/homeserver.db" } }`
    const uri = this.postgres === undefined ? undefined : new URL(this.postgres.uri)
    const args = { user: 'postgres', host: '127.0.0.1', port: uri?.port, dbname: 'postgres', ...this.#connection }
    const postgres = `{ name: psycopg2, args: ${JSON.stringify(args)} }`
    return `server_name: process.example
listeners: [{ port: ${this.url === '' ? 0 : new URL(this.url).port}, type: http, bind_addresses: ['127.0.0.1'], resources: [{ names: [client] }] }]
registration_shared_secret: ${SECRET}
bcrypt_rounds: 4
media_store_path: ${this.folder}/media
signing_key_path: ${this.folder}/signing.key
logging: { file: "${this.folder}/server.log" }
database: ${uri === undefined ? sqlite : postgres}
${LIMITS}
${this.#more}
`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop()
    await this.postgres?.[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}
