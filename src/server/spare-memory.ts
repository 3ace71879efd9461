import { performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Clock } from '#util/clock.ts'

/** What is looked at, and what gives memory back. */
export type Heap = {
  /** The share of its time that the process had work since it was asked last, from 0 to 1. */
  readonly utilization: () => number
  /** Bytes of the heap that something is kept in, used or not, and those that the process has of the system besides. */
  readonly bytes: () => { readonly kept: number; readonly spare: number }
  /** Collects what is not used any more and gives its place back. Stops the process for as long as that takes. */
  readonly giveBack: () => void
}

const LOOK_MS = 2_000
/** Less work than this is none. */
const QUIET = 0.05
/** Less than this is not worth the pause, and neither is less than a share of what is kept, which the pause grows with. */
const WORTH_BYTES = 8 * 1024 * 1024
const WORTH_SHARE = 1 / 4
/** As the pause is up to a quarter of a second, there is not one after the other. */
const PAUSE_MS = 60_000

/**
 * Gives memory back that a burst of work took, once there is quiet. V8 does so only while it allocates: a server that stands still kept for ever
 * the room for young objects that thousands of requests had needed. docs/decisions/0022-young-objects.md
 */
export class SpareMemory implements Disposable {
  readonly #heap: Heap
  readonly #clock: Clock
  #cancel = () => {}
  #restUntil = 0

  constructor(heap: Heap, clock: Clock) {
    this.#heap = heap
    this.#clock = clock
    this.#later()
  }

  #later(): void {
    this.#cancel = this.#clock.after(LOOK_MS, () => {
      this.#look()
      this.#later()
    })
  }

  #look(): void {
    const now = this.#clock.now()
    const isQuiet = this.#heap.utilization() < QUIET
    if (!isQuiet || now < this.#restUntil) return
    const { kept, spare } = this.#heap.bytes()
    if (spare < Math.max(WORTH_BYTES, kept * WORTH_SHARE)) return
    this.#restUntil = now + PAUSE_MS
    this.#heap.giveBack()
  }

  [Symbol.dispose](): void {
    this.#cancel()
  }
}

/** The heap of this thread; `undefined` where Node was started without `--expose-gc`. */
export const ownHeap = (): Heap | undefined => {
  const { gc } = globalThis
  if (gc === undefined) return undefined
  let seen = performance.eventLoopUtilization()
  return {
    utilization: () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, seen)
      seen = now
      return utilization
    },
    bytes: () => {
      const { total_physical_size: held, used_heap_size: kept } = getHeapStatistics()
      return { kept, spare: held - kept }
    },
    giveBack: () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  }
}
