import { Mutex } from './mutex.ts'

/** Runs pieces of work of the same key one after the other; those of different keys do not wait for each other. */
export class KeyedMutex<K> {
  readonly #running = new Map<K, Mutex>()

  async run<T>(key: K, work: () => Promise<T>): Promise<T> {
    const mutex = this.#running.get(key) ?? new Mutex()
    this.#running.set(key, mutex)
    try {
      return await mutex.run(work)
    } finally {
      if (mutex.length === 0) this.#running.delete(key)
    }
  }
}
