import { Worker } from 'node:worker_threads'
import type { Clock } from '#util/clock.ts'
import type { CheckpointData } from './checkpoint-thread.ts'

const PAUSE_MS = 200

/** Asks the checkpoint thread for a checkpoint some time after writes, at most one at a time. */
export class Checkpointer implements AsyncDisposable {
  readonly #data: CheckpointData
  readonly #clock: Clock
  #worker: Worker | undefined
  #isDue = false
  #isClosed = false
  #onMessage: ((message: 'done' | 'closed') => void) | undefined

  constructor(data: CheckpointData, clock: Clock) {
    this.#data = data
    this.#clock = clock
  }

  /** Something was written: a checkpoint is due soon. */
  written(): void {
    if (this.#isDue || this.#isClosed) return
    this.#isDue = true
    this.#clock.after(PAUSE_MS, () => this.#checkpoint())
  }

  #checkpoint(): void {
    if (this.#isClosed) return
    if (this.#worker === undefined) {
      // Started at the first write, so that it costs a start nothing.
      this.#worker = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), { workerData: this.#data })
      this.#worker.on('message', (message: 'done' | 'closed') => this.#onMessage?.(message))
      // A checkpoint that fails loses nothing: the log stays until the next one.
      this.#worker.on('error', () => {
        this.#worker = undefined
        this.#isDue = false
        this.#onMessage?.('closed')
      })
      this.#worker.unref()
    }
    this.#onMessage = () => {
      this.#isDue = false
    }
    this.#worker.postMessage('checkpoint')
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
