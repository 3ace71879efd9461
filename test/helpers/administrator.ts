import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { env } from 'node:process'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import type { JsonObject } from '#util/json.ts'
import { freePort } from './free-port.ts'
import type { PostgresCluster } from './postgres-cluster.ts'

const BIN = fileURLToPath(new URL('../../bin', import.meta.url))
const DEBIAN = '/usr/lib/postgresql'
/** How long one block of commands may take. */
const BLOCK_MS = 50_000
const UNLIMITED = { per_second: 1_000_000, burst_count: 1_000_000 }

/** What the commands of a block wrote. */
export type Said = { readonly out: string; readonly err: string }

/** The folder of the newest PostgreSQL server that the operating system has, with `createuser` and its like in PATH; else why there is none. */
export const installedPostgres = (
  commands: readonly string[],
): { readonly native: string } | { readonly lack: string } => {
  for (const command of ['createuser', 'createdb', ...commands])
    if (!isInPath(command)) return { lack: `${command} is not installed` }
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map(Number).filter(Number.isInteger) : []
  const usable = versions.sort((a, b) => b - a).find((one) => existsSync(join(DEBIAN, String(one), 'bin/initdb')))
  return usable === undefined
    ? { lack: `no server of PostgreSQL is in ${DEBIAN}` }
    : { native: join(DEBIAN, String(usable)) }
}

const isInPath = (command: string): boolean =>
  (env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })

/** Somebody who types what a manual says, in the folder of a server, with Myelin's commands and those of PostgreSQL in PATH. */
export class Administrator implements AsyncDisposable {
  readonly folder: string
  readonly port: number
  /** Where the commands of PostgreSQL go, and whatever `homeserver.yaml` leaves out. */
  cluster: PostgresCluster

  private constructor(parts: { readonly folder: string; readonly port: number; readonly cluster: PostgresCluster }) {
    this.folder = parts.folder
    this.port = parts.port
    this.cluster = parts.cluster
  }

  /** Makes a folder with a new configuration in it, as it is on SQLite; nothing runs. */
  static async begin(cluster: PostgresCluster, more: JsonObject = {}): Promise<Administrator> {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'myelin-page-'))
    const administrator = new Administrator({ folder, port: await freePort(), cluster })
    await administrator.run('generate_config -H page.example -c homeserver.yaml --report-stats=no')
    const unlimited = ['message', 'registration', 'joins_per_room', 'room_creation', 'key_requests']
    administrator.edit('homeserver.yaml', (config) => ({
      ...config,
      listeners: [
        { port: administrator.port, type: 'http', bind_addresses: ['127.0.0.1'], resources: [{ names: ['client'] }] },
      ],
      bcrypt_rounds: 4,
      ...Object.fromEntries(unlimited.map((name) => [`rc_${name}`, UNLIMITED])),
      rc_login: { address: UNLIMITED, account: UNLIMITED, failed_attempts: UNLIMITED },
      ...more,
    }))
    return administrator
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** What a file of the configuration says. */
  configuration(file = 'homeserver.yaml'): JsonObject {
    return parse(readFileSync(join(this.folder, file), 'utf8')) as JsonObject
  }

  edit(file: string, change: (config: JsonObject) => JsonObject): void {
    writeFileSync(join(this.folder, file), stringify(change(this.configuration(file))))
  }

  /** Whether a server answers. */
  async isUp(): Promise<boolean> {
    return fetch(`${this.url}/health`).then(
      ({ ok }) => ok,
      () => false,
    )
  }

  /** Types commands, each of which must end well, and gives `answers` to what they ask. */
  async run(commands: string, answers: readonly string[] = []): Promise<Said> {
    const { code, ...said } = await this.try(commands, answers)
    assert.equal(code, 0, `${commands}\n${said.out}\n${said.err}`)
    return said
  }

  /** Types commands up to the first that fails. */
  try(commands: string, answers: readonly string[] = []): Promise<Said & { readonly code: number | null }> {
    const child = spawn('bash', ['--norc', '-euo', 'pipefail', '-c', commands], {
      cwd: this.folder,
      env: {
        PATH: `${BIN}${delimiter}${env['PATH']}`,
        HOME: this.folder,
        // Compiled code is kept where it always is, not in each folder anew.
        XDG_CACHE_HOME: env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'),
        NODE_COMPILE_CACHE: env['NODE_COMPILE_CACHE'],
        PGHOST: this.cluster.sockets,
        PGPORT: String(this.cluster.port),
        PGUSER: 'postgres',
      },
      // Without a terminal of its own, a command that asks for a password reads the answer from its input.
      detached: true,
      timeout: BLOCK_MS,
    })
    child.stdin.on('error', () => {})
    child.stdin.end(answers.map((answer) => `${answer}\n`).join(''))
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', (code) => resolve({ code, out, err }))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.try('synctl stop')
    rmSync(this.folder, { recursive: true, force: true })
  }
}
