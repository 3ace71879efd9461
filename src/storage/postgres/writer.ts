import type pg from 'pg'
import type { Batch, BatchResult } from '#storage/change.ts'
import type { Condition, Operation } from '#storage/operation.ts'
import type { Clock } from '#util/clock.ts'
import { COMMIT_LOCK, type CommitFunction, commitParameters } from './commit-function.ts'
import { batchError, type ConnectionOptions, connect, isServerError, unavailable } from './connection.ts'

/** How long a commit whose answer was lost is looked up before its outcome is given up as unknown. */
const LOOK_UP_MS = 20_000
const LOOK_UP_PAUSE_MS = 250

type Deps = {
  readonly options: ConnectionOptions
  readonly commitFunction: CommitFunction
  readonly declared: { readonly operations: readonly Operation[]; readonly conditions: readonly Condition[] }
  readonly clock: Clock
}

/** Writes batches, one transaction in flight. A commit whose answer is lost is looked up by its id on a new connection. */
export class PostgresWriter implements AsyncDisposable {
  readonly #deps: Deps
  #client: pg.Client | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async write(batch: Batch): Promise<BatchResult> {
    const { commitFunction, declared, clock } = this.#deps
    const client = await this.#connection()
    try {
      const answer = await client.query({
        name: 'commit',
        text: commitFunction.call,
        values: commitParameters(batch, declared, clock.now()),
        rowMode: 'array',
      })
      return readResult(String(answer.rows[0]?.[0]))
    } catch (error) {
      if (isServerError(error)) throw batchError(error)
      this.#client = undefined
      return this.#lookUp(batch, error)
    }
  }

  async #connection(): Promise<pg.Client> {
    this.#client ??= await connect(this.#deps.options, {
      name: 'writer',
      onEnd: () => {
        this.#client = undefined
      },
    })
    return this.#client
  }

  /** Learns what became of a batch whose answer did not come: it is there, or it is made impossible and written again. */
  async #lookUp(batch: Batch, lost: unknown): Promise<BatchResult> {
    const giveUpAt = this.#deps.clock.now() + LOOK_UP_MS
    for (;;) {
      try {
        const client = await this.#connection()
        const result = await this.#fence(client, batch.id)
        return result ?? (await this.write({ ...batch, id: `${batch.id}+` }))
      } catch (error) {
        if (isServerError(error)) throw unavailable(error)
        this.#client = undefined
        if (this.#deps.clock.now() >= giveUpAt) throw unavailable(lost)
        await new Promise<void>((resolve) => this.#deps.clock.after(LOOK_UP_PAUSE_MS, resolve))
      }
    }
  }

  /**
   * Waits for whoever holds the lock, then reads the batch's result. If there is none, its id is taken: should the lost call still be on its
   * way to the server, it will find the id in use and undo itself.
   */
  async #fence(client: pg.Client, id: string): Promise<BatchResult | undefined> {
    await client.query('BEGIN')
    try {
      await client.query(`SELECT ${COMMIT_LOCK}`)
      const found = await client.query('SELECT result FROM commits WHERE id = $1', [id])
      if (found.rows[0] === undefined) {
        await client.query("INSERT INTO commits (id, written_ts, result) VALUES ($1, $2, '')", [
          id,
          this.#deps.clock.now(),
        ])
      }
      await client.query('COMMIT')
      return found.rows[0] === undefined ? undefined : readResult(String(found.rows[0].result))
    } catch (error) {
      // The connection may be gone; if it is not, the transaction must not stay open.
      await client.query('ROLLBACK').catch(() => {})
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.end()
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
