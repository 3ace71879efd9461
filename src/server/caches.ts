import { Budget, ByteCache, type CacheCounts } from '#util/byte-cache.ts'

/** Makes a cache within the server's memory budget. Metrics tell caches of one name together. */
export type MakeCache = <K, V>(sizeOf: (value: V, key: K) => number, name?: string) => ByteCache<K, V>

/** All caches of a server and what they may take together. */
export class Caches {
  readonly budget: Budget
  readonly #all: { readonly name: string; readonly counts: () => CacheCounts }[] = []

  constructor(maxBytes: number) {
    this.budget = new Budget(maxBytes)
  }

  readonly cache: MakeCache = <K, V>(sizeOf: (value: V, key: K) => number, name = 'other') => {
    const made = new ByteCache<K, V>({ budget: this.budget, sizeOf })
    this.#all.push({ name, counts: () => made.counts })
    return made
  }

  /** What metrics say of the caches, by name. */
  counts(): ReadonlyMap<string, CacheCounts> {
    const sums = new Map<string, CacheCounts>()
    for (const { name, counts } of this.#all) {
      const { entries, bytes, hits, misses, evictions } = counts()
      const sum = sums.get(name)
      sums.set(name, {
        entries: entries + (sum?.entries ?? 0),
        bytes: bytes + (sum?.bytes ?? 0),
        hits: hits + (sum?.hits ?? 0),
        misses: misses + (sum?.misses ?? 0),
        evictions: evictions + (sum?.evictions ?? 0),
      })
    }
    return sums
  }
}
