import { rmSync, writeFileSync } from 'node:fs'
import type { Config } from '#config/config.ts'
import { ensureSigningKeyFile } from '#config/signing-key-file.ts'
import { CannotListen } from '#http/server/open-socket.ts'
import { makeSigningKey, type SigningKey } from '#protocol/signing/signing-key.ts'
import { Log } from '#server/logging/log.ts'
import { type Database, DatabaseRefused, DatabaseUnavailable } from '#storage/database.ts'
import { hasAccounts } from '#storage/stores/accounts.ts'
import { type Clock, systemClock } from '#util/clock.ts'
import { systemRandom } from '#util/random.ts'
import { Homeserver } from './homeserver.ts'
import { openDatabase } from './open-database.ts'
import { ownHeap, SpareMemory } from './spare-memory.ts'
import { VERSION } from './version.ts'

/** Exit codes of a start that failed, those of `sysexits.h` where it has one: systemd tells them by name. */
export const EXIT = { database: 65, databaseSilent: 69, program: 70, listen: 71, files: 73, configuration: 78 } as const

/** Why the server does not start, in a sentence for who started it. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart'
  readonly exitCode: number

  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, { cause })
    this.exitCode = exitCode
  }
}

/** The server of a process, with its log, on the system's files. */
export class RunningServer implements AsyncDisposable {
  readonly homeserver: Homeserver
  readonly log: Log
  readonly #pidFile: string | undefined
  readonly #spareMemory: SpareMemory | undefined

  private constructor({ homeserver, log, pidFile, clock }: RunningParts) {
    this.homeserver = homeserver
    this.log = log
    this.#pidFile = pidFile
    const heap = ownHeap()
    this.#spareMemory = heap && new SpareMemory(heap, clock)
  }

  /** Starts what the configuration says, making a signing key where there is none. Throws `CannotStart`. */
  static async start(config: Config, clock: Clock = systemClock): Promise<RunningServer> {
    const log = openLog(config, clock)
    try {
      const signingKey = signingKeyOf(config)
      const database = await openDatabase(config, { clock, random: systemRandom, log: log.logger })
      const { description } = database
      const homeserver = await startOn(database, { config, signingKey, clock, log })
      const { pidFile } = config.server
      const running = new RunningServer({ homeserver, log, pidFile, clock })
      await running.#writePid()
      log.logger.info('started', { version: VERSION, server: config.server.name, database: description })
      return running
    } catch (error) {
      await log[Symbol.asyncDispose]()
      throw cannotStart(error)
    }
  }

  /** Whether anybody has an account yet. */
  hasAccounts(): Promise<boolean> {
    return hasAccounts(this.homeserver.services.db)
  }

  async #writePid(): Promise<void> {
    if (this.#pidFile === undefined) return
    try {
      writeFileSync(this.#pidFile, `${process.pid}\n`, { mode: 0o644 })
    } catch (error) {
      await this.homeserver[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Answers what is open, writes what is held, closes everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#spareMemory?.[Symbol.dispose]()
    await this.homeserver[Symbol.asyncDispose]()
    if (this.#pidFile !== undefined) rmSync(this.#pidFile, { force: true })
    this.log.logger.info('stopped')
    await this.log[Symbol.asyncDispose]()
  }
}

type RunningParts = {
  readonly homeserver: Homeserver
  readonly log: Log
  readonly pidFile: string | undefined
  readonly clock: Clock
}
type Ready = {
  readonly config: Config
  readonly signingKey: SigningKey
  readonly clock: Clock
  readonly log: Log
}

const startOn = (database: Database, { config, signingKey, clock, log }: Ready): Promise<Homeserver> =>
  Homeserver.start({
    config,
    database,
    signingKey,
    clock,
    random: systemRandom,
    log: log.logger,
    answered: log.answered,
    modules: [],
  })

function openLog(config: Config, { now }: Clock): Log {
  try {
    return new Log(config.logging, now)
  } catch (error) {
    throw cannotStart(error)
  }
}

function signingKeyOf({ signingKeys: { path } }: Config): SigningKey {
  const found = ensureSigningKeyFile(path, systemRandom)
  if (!found.ok) throw new CannotStart(`${path}: ${found.reason}`, EXIT.configuration)
  const [{ name, seed }] = found.keys
  const key = makeSigningKey(seed, name)
  if (key === undefined) throw new CannotStart(`${path}: There is no key to sign with in it.`, EXIT.configuration)
  return key
}

/** What went wrong, as who started the server is told it: never a stack trace. */
export const cannotStart = (error: unknown): CannotStart => {
  if (error instanceof CannotStart) return error
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof CannotListen) return new CannotStart(message, EXIT.listen, error)
  if (error instanceof DatabaseRefused) return new CannotStart(message, EXIT.database, error)
  if (error instanceof DatabaseUnavailable) return new CannotStart(message, EXIT.databaseSilent, error)
  if (isFileError(error)) {
    const reason = FILE_REASONS[error.code] ?? message
    return new CannotStart(`${error.path ?? error.dest}: ${reason}.`, EXIT.files, error)
  }
  return new CannotStart(`Myelin cannot start: ${message}`, EXIT.program, error)
}

type FileError = Error & { readonly code: string; readonly path?: string; readonly dest?: string }

const isFileError = (error: unknown): error is FileError =>
  error instanceof Error && 'code' in error && 'syscall' in error && ('path' in error || 'dest' in error)

const FILE_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'Myelin may not write here: the permissions do not allow it',
  EPERM: 'Myelin may not write here: the system does not allow it',
  EROFS: 'this file system cannot be written to',
  ENOSPC: 'there is no room left on this disk',
  EDQUOT: 'there is no room left for this user on the disk',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'this is not a folder, but should be one',
  EEXIST: 'there is a file of this name, where a folder should be',
  EISDIR: 'this is a folder, but should be a file',
}
