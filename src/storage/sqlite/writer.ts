import { Worker } from 'node:worker_threads'
import type { Batch, BatchResult } from '#storage/change.ts'
import { BatchError, DatabaseUnavailable } from '#storage/database.ts'
import type { WriterAnswer, WriterData, WriterRequest } from './writer-thread.ts'

type Done = Exclude<WriterAnswer, { readonly error: string } | { readonly closed: true }>
type Waiting = { readonly resolve: (answer: Done) => void; readonly reject: (error: Error) => void }

/** What the thread gets for new objects, whatever the main thread has: batches are short-lived and small. */
const YOUNG_MB = 12

/** The main thread's end of the writer thread. */
export class SqliteWriter implements AsyncDisposable {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #closed: (() => void) | undefined
  #failure: Error | undefined

  constructor(data: WriterData) {
    this.#worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
      workerData: data,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    this.#worker.on('message', (answer: WriterAnswer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))))
    this.#worker.unref()
  }

  async write(batch: Batch): Promise<BatchResult> {
    const answer = await this.#ask({ batch })
    if (!('result' in answer)) throw new Error('the writer thread answers in order')
    return answer.result
  }

  /** Moves what is left of the log into the database. */
  async checkpoint(): Promise<void> {
    await this.#ask({ checkpoint: true })
  }

  #ask(request: WriterRequest): Promise<Done> {
    if (this.#failure !== undefined) {
      return Promise.reject(new DatabaseUnavailable('the writer thread has ended', { cause: this.#failure }))
    }
    if (this.#closed !== undefined) return Promise.reject(new DatabaseUnavailable('the writer thread is ending'))
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#worker.ref()
      this.#worker.postMessage(request)
    })
  }

  #answered(answer: WriterAnswer): void {
    if ('closed' in answer) {
      this.#closed?.()
      return
    }
    const waiting = this.#waiting.shift()
    if (this.#waiting.length === 0) this.#worker.unref()
    if ('error' in answer) waiting?.reject(new BatchError(answer.error))
    else waiting?.resolve(answer)
  }

  #fail(error: Error): void {
    this.#failure = error
    for (const { reject } of this.#waiting.splice(0)) {
      reject(new DatabaseUnavailable('the writer thread has ended', { cause: error }))
    }
    this.#closed?.()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#failure === undefined) {
      await new Promise<void>((resolve) => {
        this.#closed = resolve
        this.#worker.ref()
        this.#worker.postMessage({ close: true })
      })
    }
    await this.#worker.terminate()
  }
}
