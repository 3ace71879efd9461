/** What a budget knows of an entry of a cache: its size and its place in the list of uses. */
type CacheEntry = {
  readonly bytes: number
  newer: CacheEntry | undefined
  older: CacheEntry | undefined
  /** The budget's count of arrivals when it was put at the head of the list. */
  usedAt: number
  /** Takes the entry out of its cache. */
  readonly evict: () => void
}

/** Among this part of the entries that arrived last, what was used earlier or later is not told apart. */
const RECENT_SHARE = 1 / 64

/** What caches may take together. The entry that was used longest ago, in whichever cache, makes room for a new one. */
export class Budget {
  #maxBytes: number
  #bytes = 0
  #newest: CacheEntry | undefined
  #oldest: CacheEntry | undefined
  #arrivals = 0
  #count = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get maxBytes(): number {
    return this.#maxBytes
  }

  /** Another budget from now on; what is above it is evicted at once. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes
    this.#shrink()
  }

  /** For caches: an entry is new. Others go until there is room; it goes itself where it alone is too large. */
  take(entry: CacheEntry): void {
    this.#bytes += entry.bytes
    this.#arrivals++
    this.#count++
    this.#link(entry)
    this.#shrink()
  }

  /** For caches: an entry was used. */
  touch(entry: CacheEntry): void {
    // Its exact place among the newest does not matter; that most uses move nothing matters much.
    if (this.#arrivals - entry.usedAt < Math.floor(this.#count * RECENT_SHARE)) return
    this.#unlink(entry)
    this.#link(entry)
  }

  /** For caches: an entry is gone. */
  release(entry: CacheEntry): void {
    this.#bytes -= entry.bytes
    this.#count--
    this.#unlink(entry)
  }

  #shrink(): void {
    while (this.#bytes > this.#maxBytes && this.#oldest !== undefined) {
      const oldest = this.#oldest
      this.release(oldest)
      oldest.evict()
    }
  }

  #link(entry: CacheEntry): void {
    entry.usedAt = this.#arrivals
    entry.older = this.#newest
    entry.newer = undefined
    if (this.#newest === undefined) this.#oldest = entry
    else this.#newest.newer = entry
    this.#newest = entry
  }

  #unlink(entry: CacheEntry): void {
    if (entry.newer === undefined) this.#newest = entry.older
    else entry.newer.older = entry.older
    if (entry.older === undefined) this.#oldest = entry.newer
    else entry.older.newer = entry.newer
  }
}

/** What metrics say of a cache. */
export type CacheCounts = {
  readonly entries: number
  readonly bytes: number
  readonly hits: number
  readonly misses: number
  readonly evictions: number
}

type CacheOptions<K, V> = {
  readonly budget: Budget
  /** Bytes of a value in memory; what the cache itself needs for an entry is added. */
  readonly sizeOf: (value: V, key: K) => number
}

/** Rough bytes of an entry's own: its links, its place in the map. */
const ENTRY_BYTES = 150

/** A cache counted in bytes that shares a budget with others. Each call takes the same time whatever is in it; `clear` and disposal do not. */
export class ByteCache<K, V> implements Disposable {
  readonly #budget: Budget
  readonly #sizeOf: (value: V, key: K) => number
  readonly #entries = new Map<K, Entry<K, V>>()
  readonly #counts = { bytes: 0, hits: 0, misses: 0, evictions: 0 }

  constructor({ budget, sizeOf }: CacheOptions<K, V>) {
    this.#budget = budget
    this.#sizeOf = sizeOf
  }

  get counts(): CacheCounts {
    return { entries: this.#entries.size, ...this.#counts }
  }

  /** All that is in it, not counted as used. */
  *entries(): Generator<[K, V]> {
    for (const [key, { value }] of this.#entries) yield [key, value]
  }

  /** The value, which counts as used now, or `undefined`. */
  get(key: K): V | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      this.#counts.misses++
      return undefined
    }
    this.#counts.hits++
    this.#budget.touch(entry)
    return entry.value
  }

  /** Whether the key is here. Counts as no use. */
  has(key: K): boolean {
    return this.#entries.has(key)
  }

  /** Keeps the value, in the place of an earlier one. */
  set(key: K, value: V): void {
    this.delete(key)
    const entry = new Entry(this, { key, value, bytes: this.#sizeOf(value, key) + ENTRY_BYTES })
    this.#entries.set(key, entry)
    this.#counts.bytes += entry.bytes
    this.#budget.take(entry)
  }

  /** For the budget, which has let the entry go. */
  evicted(key: K): void {
    this.#forget(key)
    this.#counts.evictions++
  }

  delete(key: K): boolean {
    const entry = this.#entries.get(key)
    if (entry === undefined) return false
    this.#budget.release(entry)
    this.#forget(key)
    return true
  }

  clear(): void {
    for (const key of this.#entries.keys()) this.delete(key)
  }

  /** Gives all bytes back to the budget. */
  [Symbol.dispose](): void {
    this.clear()
  }

  #forget(key: K): void {
    this.#counts.bytes -= this.#entries.get(key)?.bytes ?? 0
    this.#entries.delete(key)
  }
}

class Entry<K, V> implements CacheEntry {
  readonly bytes: number
  readonly value: V
  newer: CacheEntry | undefined
  older: CacheEntry | undefined
  usedAt = 0
  readonly #cache: ByteCache<K, V>
  readonly #key: K

  constructor(cache: ByteCache<K, V>, { key, value, bytes }: { key: K; value: V; bytes: number }) {
    this.#cache = cache
    this.#key = key
    this.value = value
    this.bytes = bytes
  }

  evict(): void {
    this.#cache.evicted(this.#key)
  }
}
