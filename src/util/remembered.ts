import type { ByteCache } from './byte-cache.ts'

/** Reads that are remembered until they are no longer true. What is read while it is forgotten is given to those who wait, but not remembered. */
export class Remembered<V> {
  readonly #cache: ByteCache<string, V>
  readonly #running = new Map<string, Promise<V>>()

  constructor(cache: ByteCache<string, V>) {
    this.#cache = cache
  }

  /** What is remembered, or what `read` gives. Whoever asks after `forget` gets what was read after it. */
  async get(key: string, read: () => Promise<V>): Promise<V> {
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const running = this.#running.get(key) ?? this.#read(key, read)
    return running
  }

  /** What was read is no longer true. */
  forget(key: string): void {
    this.#cache.delete(key)
    this.#running.delete(key)
  }

  async #read(key: string, read: () => Promise<V>): Promise<V> {
    const running = read()
    this.#running.set(key, running)
    try {
      const value = await running
      if (this.#running.get(key) === running) this.#cache.set(key, value)
      return value
    } finally {
      if (this.#running.get(key) === running) this.#running.delete(key)
    }
  }
}
