import { randomBytes, randomInt } from 'node:crypto'
import { Change, type Outcome } from '#storage/change.ts'
import { Committer } from '#storage/commit.ts'
import type { Database } from '#storage/database.ts'
import { connectionParameters } from '#storage/postgres/from-arguments.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { userAdded, userById, userIdFree } from '#storage/stores/users.ts'
import { systemClock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'

/** How something ended, and how long that took. */
export type Ended = { readonly how: string; readonly ms: number }

/** The bound of the heartbeat in these tests: 2 seconds of silence, and a second for the probe. */
export const QUICK = { keepalives_idle: '1', keepalives_interval: '1', keepalives_count: '1' } as const

const SLEPT = row({ slept: integer() })

/** A database of PostgreSQL that tests read from and write to while bad things happen to it. */
export class WatchedDatabase implements AsyncDisposable {
  /** Events of the log. */
  readonly told: string[] = []
  /** How many batches were heard of as committed. */
  committed = 0
  readonly #db: Database
  readonly #committer: Committer
  // Other tests may have used the same database.
  #users = randomInt(2 ** 40)

  private constructor(db: Database, told: string[]) {
    this.#db = db
    this.told = told
    this.#committer = new Committer({
      database: db,
      operations: OPERATIONS,
      randomBytes,
      onCommitted: () => {
        this.committed++
      },
    })
  }

  static async open(args: Readonly<Record<string, string>>): Promise<WatchedDatabase> {
    const told: string[] = []
    const note = (event: string) => void told.push(event)
    const log: Logger = { debug: note, info: note, warn: note, error: note }
    const db = await openPostgres({
      parameters: connectionParameters({ ...QUICK, ...args }, { postgres: {}, home: '/nonexistent' }),
      pool: { min: 2, max: 4 },
      statementTimeoutMs: 60_000,
      serverName: 'example.org',
      randomBytes,
      clock: systemClock,
      log,
    })
    return new WatchedDatabase(db, told)
  }

  /** Reads. */
  read(): Promise<Ended> {
    return ended(userById(this.#db, '@nobody:example.org'))
  }

  /** Reads something that takes the server so long. */
  slowRead(seconds: number): Promise<Ended> {
    return ended(this.#db.get(SLEPT, sql`SELECT 1 AS slept FROM pg_sleep(${seconds})`))
  }

  /** Writes a user. */
  write(userId = `@user${this.#users + 1}:example.org`): Promise<Ended> {
    const user = ++this.#users
    const change = new Change().require(userIdFree, { userId }).write(userAdded, { user, userId, isLocal: true })
    return ended(this.#committer.commit(change))
  }

  async has(userId: string): Promise<boolean> {
    return (await userById(this.#db, userId)) !== undefined
  }

  /** Reads and writes until both succeed, and says how long that took. */
  async untilBack(withinMs: number): Promise<number> {
    const startedAt = performance.now()
    for (;;) {
      const [read, written] = await Promise.all([this.read(), this.write()])
      const ms = performance.now() - startedAt
      if (read.how === 'done' && written.how === 'done') return ms
      if (ms > withinMs) throw new Error(`not back after ${ms} ms: ${read.how}, ${written.how}`)
      await pause(50)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#committer[Symbol.asyncDispose]()
    await this.#db[Symbol.asyncDispose]()
  }
}

/** Waits by the machine's clock: these tests are about real time. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function ended(promise: Promise<unknown>): Promise<Ended> {
  const startedAt = performance.now()
  const how = await promise.then(
    (value) => ((value as Outcome | undefined)?.ok === false ? 'refused' : 'done'),
    (error: unknown) => (error instanceof Error ? error.name : String(error)),
  )
  return { how, ms: performance.now() - startedAt }
}
