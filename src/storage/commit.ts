import { Batcher } from './batcher.ts'
import { type BatchResult, type Change, type Committed, decodeReturned, type LogEntry, type Outcome } from './change.ts'
import { BatchError, type Database, DatabaseUnavailable } from './database.ts'
import type { Operation } from './operation.ts'

/** Writes a change and resolves to what became of it, once that is durable. Rejects with the cause if its SQL errs or the database is gone. */
export type Commit = (change: Change) => Promise<Outcome>

/** A log entry that is durable, with the position it got. */
export type LoggedEntry = LogEntry & { readonly pos: number }
/** What a batch brought: everything up to `upTo` is durable now. */
export type CommittedBatch = { readonly upTo: number; readonly entries: readonly LoggedEntry[] }

type Deps = {
  readonly database: Database
  readonly operations: readonly Operation[]
  readonly randomBytes: (size: number) => Uint8Array
  /** Called once a batch is durable, before the changes resolve: it must only take note. */
  readonly onCommitted: (batch: CommittedBatch) => void
}
type Pending = {
  readonly change: Change
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

/**
 * The one way to write. While a transaction is in flight, changes of all rooms and users collect; then they are written together. A change
 * that is refused or that errs fails alone.
 */
export class Committer implements AsyncDisposable {
  readonly #deps: Deps
  #queue: Pending[] = []
  /** What the transaction in flight writes. */
  #inFlight: readonly Pending[] = []
  #running: Promise<void> | undefined
  #isClosed = false

  constructor(deps: Deps) {
    this.#deps = deps
    deps.database.outage?.onHopeless(() => this.#giveUp())
  }

  /** How many changes wait for their transaction. */
  get queueLength(): number {
    return this.#queue.length
  }

  readonly commit: Commit = (change) => {
    if (this.#isClosed) return Promise.reject(new Error('the server is stopping'))
    const hopeless = this.#deps.database.outage?.hopeless
    if (hopeless !== undefined) return Promise.reject(new DatabaseUnavailable(hopeless))
    return new Promise((resolve, reject) => {
      this.#queue.push({ change, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  async #run(): Promise<void> {
    // What else the current turn brings goes into the same transaction.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batcher = new Batcher(this.#deps.operations)
      const [taken, left]: [Pending[], Pending[]] = [[], []]
      for (const pending of this.#queue) (batcher.add(pending.change) ? taken : left).push(pending)
      this.#queue = left
      this.#inFlight = taken
      await this.#write(batcher, taken)
    }
    this.#inFlight = []
    this.#running = undefined
  }

  /**
   * Nobody waits any longer: what was not handed to the database is not written. What was is not forgotten: if it turns out to be written,
   * its effects happen then, though nobody hears the answer.
   */
  #giveUp(): void {
    const { outage } = this.#deps.database
    const error = new DatabaseUnavailable(outage?.hopeless ?? 'the database does not answer')
    const queued = this.#queue
    this.#queue = []
    for (const { reject } of [...this.#inFlight, ...queued]) reject(error)
    if (this.#isClosed) outage?.close()
  }

  async #write(batcher: Batcher, pending: readonly Pending[]): Promise<void> {
    const id = Buffer.from(this.#deps.randomBytes(16)).toString('hex')
    try {
      const result = await this.#deps.database.write(batcher.toBatch(id))
      this.#settle(pending, result)
    } catch (error) {
      if (!(error instanceof BatchError) || pending.length === 1) {
        for (const { reject } of pending) reject(error)
        return
      }
      // Nothing of the batch was written. Halve it until what errs stands alone.
      const middle = Math.ceil(pending.length / 2)
      for (const half of [pending.slice(0, middle), pending.slice(middle)]) {
        const again = new Batcher(this.#deps.operations)
        for (const { change } of half) again.add(change)
        await this.#write(again, half)
      }
    }
  }

  #settle(pending: readonly Pending[], { base, refused, returned }: BatchResult): void {
    const refusals = new Map(refused.map(({ change, by }) => [change, by]))
    const entries: LoggedEntry[] = []
    let upTo = base
    const firstPositions = pending.map(({ change }, index) => {
      const first = upTo + 1
      upTo += change.entries.length
      if (!refusals.has(index)) entries.push(...change.entries.map((entry, n) => ({ ...entry, pos: first + n })))
      return first
    })
    pending.forEach(({ change }, index) => {
      if (!refusals.has(index)) for (const effect of change.effects) effect(firstPositions[index] as number)
    })
    this.#deps.onCommitted({ upTo, entries })
    pending.forEach(({ resolve }, index) => {
      const refusedBy = refusals.get(index)
      if (refusedBy !== undefined) resolve({ ok: false, refusedBy })
      else resolve(committed(firstPositions[index] as number, index, returned))
    })
  }

  /** Waits until everything that was handed in is written; takes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    if (this.#deps.database.outage?.hopeless !== undefined) this.#giveUp()
    await this.#running
  }
}

const committed = (firstPosition: number, index: number, all: BatchResult['returned']): Committed => ({
  ok: true,
  firstPosition,
  returned: <Out>(operation: Operation<unknown, Out>) => {
    const codec = operation.returning
    if (codec === undefined) return []
    return all
      .filter(({ name, change }) => name === operation.name && change === index)
      .map(({ values }) => decodeReturned(codec, values))
  },
})
