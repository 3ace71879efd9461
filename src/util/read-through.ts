import type { ByteCache } from './byte-cache.ts'

/** A cache that reads what it lacks, once for all who ask at the same time. What is forgotten while it is being read is not kept. */
export class ReadThrough<K, V> {
  readonly #cache: ByteCache<K, V>
  readonly #reading = new Map<K, Promise<V>>()

  constructor(cache: ByteCache<K, V>) {
    this.#cache = cache
  }

  /** The value, or what `read` gives if it is not at hand. Whoever asks after `forget` gets what was read after it. */
  get(key: K, read: () => Promise<V>): Promise<V> {
    const known = this.#cache.get(key)
    if (known !== undefined) return Promise.resolve(known)
    return this.#reading.get(key) ?? this.#read(key, read)
  }

  /** The value if it is at hand. */
  peek(key: K): V | undefined {
    return this.#cache.get(key)
  }

  /** The value is another one from now on. */
  forget(key: K): void {
    this.#reading.delete(key)
    this.#cache.delete(key)
  }

  #read(key: K, read: () => Promise<V>): Promise<V> {
    // Whatever `read` throws at once is a rejection too.
    const reading = Promise.try(read)
    this.#reading.set(key, reading)
    const done = () => {
      if (this.#reading.get(key) === reading) this.#reading.delete(key)
    }
    reading.then((value) => {
      if (this.#reading.get(key) === reading) this.#cache.set(key, value)
      done()
    }, done)
    return reading
  }
}
