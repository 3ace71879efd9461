import { Worker } from 'node:worker_threads'
import type { Clock } from '#util/clock.ts'
import type { CheckpointAnswer, CheckpointData } from './checkpoint-thread.ts'

const PAUSE_MS = 200

type Deps = {
  readonly data: CheckpointData
  readonly clock: Clock
  /** Has the writer move the rest of the log, so that its next transaction starts the log anew. */
  readonly finish: () => Promise<void>
}

/**
 * Asks the checkpoint thread for a checkpoint some time after writes, at most one at a time. Where the log is above its cap after that, the
 * writer moves the little that came meanwhile between two transactions: it neither waits for a lock nor polls for it.
 */
export class Checkpointer implements AsyncDisposable {
  readonly #deps: Deps
  #worker: Worker | undefined
  #isDue = false
  #isClosed = false
  #onMessage: ((message: CheckpointAnswer) => void) | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Something was written: a checkpoint is due soon. */
  written(): void {
    if (this.#isDue || this.#isClosed) return
    this.#isDue = true
    this.#deps.clock.after(PAUSE_MS, () => this.#checkpoint())
  }

  #checkpoint(): void {
    if (this.#isClosed) return
    if (this.#worker === undefined) {
      // Started at the first write, so that it costs a start nothing.
      this.#worker = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), { workerData: this.#deps.data })
      this.#worker.on('message', (message: CheckpointAnswer) => this.#onMessage?.(message))
      // A checkpoint that fails loses nothing: the log stays until the next one.
      this.#worker.on('error', () => {
        this.#worker = undefined
        this.#isDue = false
        this.#onMessage?.('closed')
      })
      this.#worker.unref()
    }
    this.#onMessage = (message) => void this.#answered(message)
    this.#worker.postMessage('checkpoint')
  }

  async #answered(message: CheckpointAnswer): Promise<void> {
    // Where the writer has ended there is nothing to start anew.
    if (message === 'full' && !this.#isClosed) await this.#deps.finish().catch(() => {})
    this.#isDue = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    const worker = this.#worker
    if (worker === undefined) return
    await new Promise<void>((resolve) => {
      this.#onMessage = (message) => message === 'closed' && resolve()
      worker.ref()
      worker.postMessage('close')
    })
    await worker.terminate()
  }
}
