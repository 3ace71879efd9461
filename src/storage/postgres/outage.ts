import type { Outage } from '#storage/database.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'

/** How often a lost database is looked for. */
const LOOK_MS = 500

type Deps = {
  readonly clock: Clock
  readonly log: Logger
  /** Resolves once the database can be reached again. */
  readonly look: () => Promise<void>
}

/** The time during which the database does not answer. It ends by itself: the database is looked for until it is there. */
export class DatabaseOutage implements Outage {
  readonly #deps: Deps
  readonly #listeners: (() => void)[] = []
  #reason: string | undefined
  #isHopeless = false
  #isClosed = false
  #cancel: (() => void) | undefined
  #waiting: (() => void)[] = []

  constructor(deps: Deps) {
    this.#deps = deps
  }

  get reason(): string | undefined {
    return this.#reason
  }

  /** The reason, once those who wait should wait no longer. */
  get hopeless(): string | undefined {
    return this.#isHopeless ? this.#reason : undefined
  }

  onHopeless(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** The database does not answer. Who waits may wait for so long yet. */
  begin(reason: string, { patienceMs }: { readonly patienceMs: number }): void {
    if (this.#isClosed) return
    if (this.#reason === undefined) {
      this.#reason = reason
      this.#deps.log.error('database_lost', { reason })
      this.#later(0, () => void this.#look())
    }
    if (patienceMs <= 0) this.#giveUp()
    else this.#deps.clock.after(patienceMs, this.#giveUpOf(reason))
  }

  /** Resolves when the outage is over, or nobody looks any more. */
  over(): Promise<void> {
    if (this.#reason === undefined || this.#isClosed) return Promise.resolve()
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  /** Looks no more; who waits is let go. */
  close(): void {
    this.#isClosed = true
    this.#cancel?.()
    this.#release()
  }

  #giveUpOf(reason: string): () => void {
    const number = this.#number
    return () => {
      if (this.#reason === reason && this.#number === number) this.#giveUp()
    }
  }

  /** Counts outages, so that the patience of one does not end another. */
  #number = 0

  #giveUp(): void {
    if (this.#isHopeless || this.#reason === undefined) return
    this.#isHopeless = true
    for (const listener of this.#listeners) listener()
  }

  #later(delayMs: number, task: () => void): void {
    this.#cancel = this.#deps.clock.after(delayMs, task)
  }

  async #look(): Promise<void> {
    try {
      await this.#deps.look()
    } catch {
      // Still not there; why was told when it was lost.
      if (!this.#isClosed) this.#later(LOOK_MS, () => void this.#look())
      return
    }
    if (this.#isClosed) return
    this.#deps.log.info('database_found', {})
    this.#reason = undefined
    this.#isHopeless = false
    this.#number++
    this.#release()
  }

  #release(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
