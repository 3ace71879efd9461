import { Worker } from 'node:worker_threads'
import type { TableProgress, TableResult } from './table-run.ts'
import type { WorkerAnswer, WorkerData, WorkerRequest } from './worker.ts'

type Waiting = { readonly resolve: (answer: WorkerAnswer) => void; readonly reject: (error: unknown) => void }

/** The main thread's end of one thread that copies. It is asked one thing at a time. */
class TableWorker {
  readonly #worker: Worker
  #waiting: Waiting | undefined
  #failure: unknown
  #hasEnded = false

  constructor(data: WorkerData, onProgress: (progress: TableProgress) => void) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: data })
    this.#worker.on('message', (answer: WorkerAnswer) => {
      if (answer.kind === 'progress') onProgress(answer.progress)
      else if (answer.kind === 'error') this.#take()?.reject(answer.error)
      else this.#take()?.resolve(answer)
    })
    this.#worker.on('error', (error) => this.#fail(error))
    this.#worker.on('exit', () => {
      this.#hasEnded = true
      this.#fail(new Error('a thread of the port has ended'))
    })
  }

  #take(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#take()?.reject(this.#failure)
  }

  ask(request: WorkerRequest): Promise<WorkerAnswer> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#worker.postMessage(request)
    })
  }

  async stop(): Promise<void> {
    if (!this.#hasEnded) await this.#worker.terminate()
  }
}

/** The threads of a port. */
export class Workers implements AsyncDisposable {
  readonly #workers: readonly TableWorker[]

  constructor(count: number, data: WorkerData, onProgress: (progress: TableProgress) => void) {
    this.#workers = Array.from({ length: count }, () => new TableWorker(data, onProgress))
  }

  /** From now on all of them see one state of the source, as far as the source can promise that. */
  async begin(snapshot: string | undefined): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ask({ ask: 'begin', snapshot })))
  }

  /** How many rows each table has. */
  async count(tables: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>()
    await this.#share(tables, async (worker, table) => {
      const answer = await worker.ask({ ask: 'count', table })
      if (answer.kind === 'counted') counts.set(table, answer.rows)
    })
    return counts
  }

  /** Runs all tables, the largest first, as many at a time as there are threads. */
  async run(counts: ReadonlyMap<string, number>): Promise<TableResult[]> {
    const largestFirst = [...counts].sort(([, a], [, b]) => b - a)
    const results: TableResult[] = []
    await this.#share(largestFirst, async (worker, [table, total]) => {
      const answer = await worker.ask({ ask: 'run', table, total })
      if (answer.kind === 'result') results.push(answer.result)
    })
    return results.sort((a, b) => (a.table < b.table ? -1 : 1))
  }

  async #share<T>(items: readonly T[], work: (worker: TableWorker, item: T) => Promise<void>): Promise<void> {
    const left = [...items]
    let hasFailed = false
    await Promise.all(
      this.#workers.map(async (worker) => {
        for (let item = left.shift(); item !== undefined && !hasFailed; item = left.shift()) {
          try {
            await work(worker, item)
          } catch (error) {
            hasFailed = true
            throw error
          }
        }
      }),
    )
  }

  /** Closes their connections in order. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.ask({ ask: 'end' })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()))
  }
}
