import { Histogram } from '#server/metrics/histogram.ts'
import type { Batch, BatchResult } from '#storage/change.ts'
import { type Database, DatabaseUnavailable, type Outage } from '#storage/database.ts'
import type { RowCodec } from '#storage/row.ts'
import type { Query } from '#storage/sql.ts'
import { eventAdded, isWholeEvent } from '#storage/stores/events.ts'
import { logContext } from '#util/log-context.ts'

const BATCH_SIZES = [1, 2, 5, 10, 20, 50, 100, 200]
const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** A database whose reads are counted for the request or task that makes them, and whose writes are counted for the metrics. */
export class CountedDatabase implements Database {
  readonly #inner: Database
  readonly batchSizes = new Histogram(BATCH_SIZES)
  readonly commitSeconds = new Histogram(SECONDS)
  reads = 0
  failedCommits = 0
  events = 0
  /** Whether it answered when it was asked last. */
  isUp = true

  constructor(inner: Database) {
    this.#inner = inner
  }

  get description(): string {
    return this.#inner.description
  }

  get start(): Database['start'] {
    return this.#inner.start
  }

  get outage(): Outage | undefined {
    return this.#inner.outage
  }

  all<Out>(codec: RowCodec<Out>, query: Query): Promise<Out[]> {
    const from = performance.now()
    const rows = this.#inner.all(codec, query)
    this.#watch(rows, from, isWholeEvent(codec))
    return rows
  }

  get<Out>(codec: RowCodec<Out>, query: Query): Promise<Out | undefined> {
    const from = performance.now()
    const row = this.#inner.get(codec, query)
    this.#watch(row, from, isWholeEvent(codec))
    return row
  }

  /** Notes what came of a read; who asked gets the promise itself. */
  #watch(reading: Promise<unknown>, from: number, areEvents: boolean): void {
    this.reads++
    const context = logContext()
    reading.then(
      (found) => {
        this.isUp = true
        if (context === undefined) return
        context.reads++
        context.readMs += performance.now() - from
        if (areEvents) context.events += Array.isArray(found) ? found.length : Number(found !== undefined)
      },
      (error: unknown) => this.#failed(error),
    )
  }

  async write(batch: Batch): Promise<BatchResult> {
    const from = performance.now()
    try {
      const result = await this.#inner.write(batch)
      this.isUp = true
      this.batchSizes.observe(batch.changes)
      this.commitSeconds.observe((performance.now() - from) / 1000)
      this.events += batch.operations.find(({ name }) => name === eventAdded.name)?.rows.length ?? 0
      return result
    } catch (error) {
      this.failedCommits++
      this.#failed(error)
      throw error
    }
  }

  #failed(error: unknown): void {
    if (error instanceof DatabaseUnavailable) this.isUp = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]()
  }
}
