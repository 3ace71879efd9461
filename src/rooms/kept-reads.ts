import type { ByteCache } from '#util/byte-cache.ts'

/** A read under way, with what was committed since it began. */
type Loading<V> = { readonly value: Promise<V>; readonly changes: ((value: V) => void)[] }

/**
 * What was read of the database by number and is changed in place as commits apply, as far as the memory budget keeps it. Whoever holds a
 * value that was evicted holds it as it was then; the next who asks reads it again.
 */
export class KeptReads<V> {
  readonly #kept: ByteCache<number, V>
  readonly #read: (key: number) => Promise<V>
  readonly #loading = new Map<number, Loading<V>>()

  constructor(kept: ByteCache<number, V>, read: (key: number) => Promise<V>) {
    this.#kept = kept
    this.#read = read
  }

  /** The value, read if it is not here. All who ask at once share one read. */
  get(key: number): Promise<V> {
    const known = this.#kept.get(key)
    if (known !== undefined) return Promise.resolve(known)
    return (this.#loading.get(key) ?? this.#load(key)).value
  }

  /** The value if it is here. */
  peek(key: number): V | undefined {
    return this.#kept.get(key)
  }

  /** Changes the value as a commit did. What is being read may have been read before the commit: it is changed when it is there. */
  change(key: number, change: (value: V) => void): void {
    this.#loading.get(key)?.changes.push(change)
    const value = this.#kept.get(key)
    if (value === undefined) return
    change(value)
    // Its size may be another one now.
    this.#kept.set(key, value)
  }

  /** Forgets the value, also one that is being read: it may no longer be true. */
  drop(key: number): void {
    this.#loading.delete(key)
    this.#kept.delete(key)
  }

  #load(key: number): Loading<V> {
    const changes: Loading<V>['changes'] = []
    const loading = { value: this.#finish(key, changes), changes }
    this.#loading.set(key, loading)
    return loading
  }

  async #finish(key: number, changes: Loading<V>['changes']): Promise<V> {
    const isCurrent = () => this.#loading.get(key)?.changes === changes
    try {
      const value = await this.#read(key)
      for (const change of changes) change(value)
      if (isCurrent()) this.#kept.set(key, value)
      return value
    } finally {
      if (isCurrent()) this.#loading.delete(key)
    }
  }
}
