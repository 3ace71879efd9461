import { limitExceeded } from '#protocol/errors.ts'
import type { Clock } from '#util/clock.ts'

/** How much may happen: `burst` at once, and after that `perSecond`. */
export type Rate = { readonly perSecond: number; readonly burst: number }

type Bucket = { level: number; at: number }

/** How many keys are remembered. When there are more, full leaks are forgotten first. */
const MAX_KEYS = 50_000

/** A leaky bucket for each key: every act fills it, time empties it, and what would overflow it is refused. */
export class Limiter {
  readonly #rate: Rate
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate
    this.#clock = clock
  }

  /** The most that may happen at once. */
  get burst(): number {
    return this.#rate.burst
  }

  /** Takes `cost` for `key`, or throws `M_LIMIT_EXCEEDED` with the time until it would be there. Asynchronous, so that processes may share buckets. */
  async take(key: string, cost = 1): Promise<void> {
    const retryAfterMs = this.#wait(key, cost)
    if (retryAfterMs > 0) throw limitExceeded({ retryAfterMs })
    const bucket = this.#bucket(key)
    bucket.level += cost
  }

  /** Takes one for `key` while something is done, and gives it back where that fails. */
  async during<T>(key: string, work: () => Promise<T>): Promise<T> {
    await this.take(key)
    try {
      return await work()
    } catch (error) {
      this.refund(key)
      throw error
    }
  }

  /** Gives back what was taken: the act turned out to be one that does not count. */
  refund(key: string, cost = 1): void {
    const bucket = this.#bucket(key)
    bucket.level = Math.max(0, bucket.level - cost)
  }

  /** Throws if `cost` could not be taken now, and takes nothing. */
  async check(key: string, cost = 1): Promise<void> {
    const retryAfterMs = this.#wait(key, cost)
    if (retryAfterMs > 0) throw limitExceeded({ retryAfterMs })
  }

  #wait(key: string, cost: number): number {
    const { burst, perSecond } = this.#rate
    const excess = this.#bucket(key).level + cost - burst
    if (excess <= 0) return 0
    return perSecond > 0 ? Math.ceil((excess / perSecond) * 1000) : 3_600_000
  }

  #bucket(key: string): Bucket {
    const now = this.#clock.now()
    const known = this.#buckets.get(key)
    if (known !== undefined) {
      known.level = Math.max(0, known.level - ((now - known.at) / 1000) * this.#rate.perSecond)
      known.at = now
      return known
    }
    if (this.#buckets.size >= MAX_KEYS) this.#forget(now)
    const made = { level: 0, at: now }
    this.#buckets.set(key, made)
    return made
  }

  #forget(now: number): void {
    for (const [key, { level, at }] of this.#buckets) {
      if (level <= ((now - at) / 1000) * this.#rate.perSecond) this.#buckets.delete(key)
    }
    // Should all be in use, the ones that came first go.
    for (const key of this.#buckets.keys()) {
      if (this.#buckets.size < MAX_KEYS) break
      this.#buckets.delete(key)
    }
  }
}
