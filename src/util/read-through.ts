import type { ByteCache } from './byte-cache.ts'

type Deps<K, V> = {
  readonly cache: ByteCache<K, V>
  readonly read: (key: K) => Promise<V>
}

/** A cache that reads what it lacks, once for all who ask at the same time. What is forgotten while it is being read is not kept. */
export class ReadThrough<K, V> {
  readonly #deps: Deps<K, V>
  readonly #reading = new Map<K, Promise<V>>()

  constructor(deps: Deps<K, V>) {
    this.#deps = deps
  }

  /** The value, read if it is not at hand. */
  get(key: K): Promise<V> {
    const known = this.#deps.cache.get(key)
    if (known !== undefined) return Promise.resolve(known)
    const running = this.#reading.get(key)
    if (running !== undefined) return running
    const reading = this.#read(key)
    this.#reading.set(key, reading)
    const done = () => {
      if (this.#reading.get(key) === reading) this.#reading.delete(key)
    }
    reading.then((value) => {
      if (this.#reading.get(key) === reading) this.#deps.cache.set(key, value)
      done()
    }, done)
    return reading
  }

  /** The value is another one from now on. */
  forget(key: K): void {
    this.#reading.delete(key)
    this.#deps.cache.delete(key)
  }

  // Whatever `read` throws at once is a rejection too.
  async #read(key: K): Promise<V> {
    return this.#deps.read(key)
  }
}
