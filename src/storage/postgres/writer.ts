import type { Batch, BatchResult } from '#storage/change.ts'
import type { Outage } from '#storage/database.ts'
import type { Condition, Operation } from '#storage/operation.ts'
import type { Clock } from '#util/clock.ts'
import { COMMIT_LOCK, type CommitFunction, commitParameters } from './commit-function.ts'
import { batchError, type Connection, isIncapable, isReadOnly, isServerError, unavailable } from './connection.ts'
import { type Link, PATIENCE_MS } from './link.ts'

const LOOK_UP_PAUSE_MS = 250
/** How long a look-up may wait for whoever holds the lock, before it asks anew. */
const LOCK_TIMEOUT_MS = 5_000

type Deps = {
  readonly link: Link
  readonly commitFunction: CommitFunction
  readonly declared: { readonly operations: readonly Operation[]; readonly conditions: readonly Condition[] }
  readonly clock: Clock
}

/**
 * Writes batches, one transaction in flight. A commit whose answer is lost is looked up by its id on a new connection, for as long as it
 * takes: `hopeless` says when nobody should wait for that.
 */
export class PostgresWriter implements AsyncDisposable, Outage {
  readonly #deps: Deps
  readonly #listeners: (() => void)[] = []
  #connection: Connection | undefined
  #awaited = 0
  #count = 0
  /** A commit that the server works on for very long. */
  #stalled: string | undefined
  #isClosing = false
  /** How often those who waited were told not to. */
  #timesGivenUp = 0

  constructor(deps: Deps) {
    this.#deps = deps
    this.onHopeless(() => {
      this.#timesGivenUp++
    })
  }

  get hopeless(): string | undefined {
    return this.#deps.link.outage.hopeless ?? this.#stalled
  }

  onHopeless(listener: () => void): void {
    this.#listeners.push(listener)
    this.#deps.link.outage.onHopeless(listener)
  }

  close(): void {
    this.#isClosing = true
    this.#deps.link.outage.close()
    this.#connection?.socket.destroy()
  }

  async write(batch: Batch): Promise<BatchResult> {
    const { commitFunction, declared, clock } = this.#deps
    const timesGivenUp = this.#timesGivenUp
    const connection = await this.#connected()
    try {
      this.#awaited++
      const answer = await connection.client.query({
        name: 'commit',
        text: commitFunction.call,
        values: commitParameters(batch, declared, clock.now()),
        rowMode: 'array',
      })
      this.#answered(connection)
      return readResult(String(answer.rows[0]?.[0]))
    } catch (error) {
      this.#answered(connection)
      if (isServerError(error)) throw this.#refused(error, connection)
      this.#drop(connection)
      return this.#lookUp(batch, { error, timesGivenUp })
    }
  }

  #answered(connection: Connection): void {
    this.#awaited--
    this.#stalled = undefined
    if (++this.#count === this.#deps.link.maxTransactions) {
      this.#drop(connection)
      void this.#deps.link.end(connection)
    }
  }

  /** Nothing was written: the statement erred, or the server cannot write now. */
  #refused(error: Parameters<typeof isIncapable>[0], connection: Connection): Error {
    if (isReadOnly(error)) {
      this.#drop(connection)
      void this.#deps.link.end(connection)
    }
    return isIncapable(error) ? unavailable(error) : batchError(error)
  }

  #drop(connection: Connection): void {
    if (this.#connection === connection) this.#connection = undefined
  }

  async #connected(): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection
    const { link } = this.#deps
    const connection = await link.connect({ name: 'writer' })
    connection.socket.prependOnceListener('close', () => this.#drop(connection))
    link.heartbeat.watch({
      connection,
      awaited: () => this.#awaited,
      onIdle: () => false,
      onSilent: (verdict, silentMs) => this.#silent(connection, verdict, silentMs),
    })
    this.#count = 0
    this.#connection = connection
    return connection
  }

  /** The server lives and works on the commit, or is frozen in it: nothing is broken off, but nobody waits. */
  #silent(connection: Connection, verdict: 'dead' | 'busy', silentMs: number): void {
    if (verdict === 'dead' || connection !== this.#connection) return
    this.#stalled = `PostgreSQL has worked on a commit for more than ${silentMs} ms (process ${connection.processId})`
    this.#deps.link.log.error('commit_stalled', { processId: connection.processId, silentMs })
    for (const listener of this.#listeners) listener()
  }

  /** Learns what became of a batch whose answer did not come: it is there, or it is made impossible and written again. */
  async #lookUp(
    batch: Batch,
    { error: lost, timesGivenUp }: { readonly error: unknown; readonly timesGivenUp: number },
  ): Promise<BatchResult> {
    const giveUpAt = this.#deps.link.clock.now() + PATIENCE_MS
    for (;;) {
      if (this.#isClosing) throw unavailable(lost)
      try {
        const result = await this.#fence(await this.#connected(), batch.id)
        this.#stalled = undefined
        if (result !== undefined) return result
        break
      } catch (error) {
        await this.#pauseAfter(error, giveUpAt)
      }
    }
    // Nobody waits for a batch that was given up: it need not be written any more.
    if (this.#timesGivenUp !== timesGivenUp) throw unavailable(lost)
    return this.write({ ...batch, id: `${batch.id}+` })
  }

  /** Whatever a look-up failed of: it is made again, for only its answer tells what is true. */
  async #pauseAfter(error: unknown, giveUpAt: number): Promise<void> {
    const { clock, outage } = this.#deps.link
    if (isServerError(error) && this.#connection !== undefined) this.#refused(error, this.#connection)
    if (clock.now() >= giveUpAt && this.hopeless === undefined)
      this.#stall(`what became of a commit cannot be learned: ${unavailable(error).message}`)
    if (outage.reason !== undefined) await outage.over()
    else await new Promise<void>((resolve) => clock.after(LOOK_UP_PAUSE_MS, resolve))
  }

  #stall(reason: string): void {
    this.#stalled = reason
    for (const listener of this.#listeners) listener()
  }

  /**
   * Waits for whoever holds the lock, then reads the batch's result. If there is none, its id is taken: should the lost call still be on its
   * way to the server, it will find the id in use and undo itself.
   */
  async #fence({ client }: Connection, id: string): Promise<BatchResult | undefined> {
    this.#awaited++
    try {
      await client.query('BEGIN')
      await client.query(`SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`)
      await client.query(`SELECT ${COMMIT_LOCK}`)
      const found = await client.query('SELECT result FROM commits WHERE id = $1', [id])
      if (found.rows[0] === undefined) {
        await client.query("INSERT INTO commits (id, written_ts, result) VALUES ($1, $2, '')", [
          id,
          this.#deps.clock.now(),
        ])
      }
      await client.query('COMMIT')
      const text = found.rows[0] === undefined ? '' : String(found.rows[0].result)
      // An empty result is the mark of an earlier look-up whose own answer was lost.
      return text === '' ? undefined : readResult(text)
    } catch (error) {
      // The connection may be gone; if it is not, the transaction must not stay open.
      await client.query('ROLLBACK').catch(() => {})
      throw error
    } finally {
      this.#awaited--
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    if (this.#connection !== undefined) await this.#deps.link.end(this.#connection)
  }
}

function readResult(text: string): BatchResult {
  const { base, refused, by, returned } = JSON.parse(text) as {
    base: number
    refused: number[]
    by: string[]
    returned: [string, number, unknown[]][][]
  }
  return {
    base,
    refused: refused.map((change, index) => ({ change, by: by[index] as string })),
    returned: returned.flat().map(([name, change, values]) => ({ name, change, values })),
  }
}
