import type { Table } from './catalogue.ts'
import { type Key, keyOf, type Oddity, printKey, type Range, type Row, type Source, type Target } from './side.ts'

/** Rows that are written in one go. */
const FLUSH_ROWS = 1_000
/** Differences and oddities that are kept for the list; the rest is only counted. */
const MAX_LISTED = 1_000
/** Rows with keys that no other database could hold: more of them is no accident. */
const MAX_MOVED = 200_000

/** A row that is not the same on both sides. */
export type Difference = {
  readonly table: string
  readonly key: string
  readonly kind: 'missing' | 'extra' | 'different'
  /** Where they differ, of `different`. */
  readonly columns: readonly string[]
}

/** Counts all, and keeps the first of them. */
export class Listed<T> {
  count = 0
  readonly items: T[] = []

  add(item: T): void {
    this.count++
    if (this.items.length < MAX_LISTED) this.items.push(item)
  }
}

/** What merging has to do: `write`: make the target's rows equal; `clear`: only take away what would be in the way; `compare`: say what differs. */
export type MergeMode = 'write' | 'clear' | 'compare'

type Deps = { readonly table: Table; readonly source: Source; readonly target: Target }
type Pending = { readonly puts: Row[]; readonly removes: Key[] }

/**
 * Compares rows one by one and makes those of the target equal. A row whose key the target cannot hold as it is lies elsewhere there:
 * such rows, and rows of the target that could be such ones, are kept until all of the table was seen (`settle`).
 */
export class Merger {
  readonly #deps: Deps
  readonly oddities = new Listed<Oddity>()
  readonly differences = new Listed<Difference>()
  readonly changed = { added: 0, updated: 0, removed: 0 }
  /** Rows of the source that the target cannot have. */
  impossible = 0
  /** Some rows have another key in the target. */
  hasMoved = false
  #moved = new Map<string, Row>()
  #suspects: Key[] = []

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async merge(range: Range, mode: MergeMode): Promise<void> {
    const { table, target } = this.#deps
    const rows = await this.#sourceRows(range, mode)
    const pending: Pending = { puts: [], removes: [] }
    for await (const page of target.pages(table, range)) {
      for (const { values } of page) {
        const key = keyOf(table, values)
        const name = JSON.stringify(key)
        const wanted = rows.get(name)
        rows.delete(name)
        this.#judge(values, { key, wanted, mode, pending })
      }
      await this.#flush(pending, FLUSH_ROWS)
    }
    if (mode === 'compare') for (const row of rows.values()) this.#differs('missing', keyOf(table, row))
    if (mode === 'write') {
      this.changed.added += rows.size
      for (const row of rows.values()) {
        pending.puts.push(row)
        await this.#flush(pending, FLUSH_ROWS)
      }
    }
    await this.#flush(pending, 1)
  }

  async #sourceRows(range: Range, mode: MergeMode): Promise<Map<string, Row>> {
    const { table, source } = this.#deps
    const rows = new Map<string, Row>()
    for await (const page of source.pages(table, range)) {
      for (const { values, oddities, isMoved } of page) {
        if (oddities.length > 0 && !this.#canHave(oddities, mode)) continue
        if (isMoved) this.#move(values)
        else rows.set(JSON.stringify(keyOf(table, values)), values)
      }
    }
    return rows
  }

  /** Notes what is odd about a row, and says whether the target can have it. */
  #canHave(oddities: readonly Oddity[], mode: MergeMode): boolean {
    const isImpossible = oddities.some(({ kind }) => kind === 'impossible')
    if (mode === 'clear') return !isImpossible
    for (const oddity of oddities) this.oddities.add(oddity)
    if (isImpossible) this.impossible++
    return !isImpossible
  }

  #move(row: Row): void {
    if (this.#moved.size >= MAX_MOVED) throw new Error(`${this.#deps.table.name} has too many keys that are no text`)
    this.hasMoved = true
    this.#moved.set(JSON.stringify(keyOf(this.#deps.table, row)), row)
  }

  #judge(
    found: Row,
    at: { readonly key: Key; readonly wanted: Row | undefined; readonly mode: MergeMode; readonly pending: Pending },
  ): void {
    const { key, wanted, mode, pending } = at
    if (wanted === undefined) {
      if (key.some((part) => part.includes('\uFFFE') || part.includes('\uFFFD'))) this.#suspects.push(key)
      else if (mode === 'compare') this.#differs('extra', key)
      else {
        this.changed.removed++
        pending.removes.push(key)
      }
      return
    }
    const different = differing(found, wanted)
    if (different.length === 0) return
    if (mode === 'compare') this.#differs('different', key, different)
    else if (mode === 'write') {
      this.changed.updated++
      pending.puts.push(wanted)
    } else if (different.some((place) => this.#deps.table.unique.includes(place))) {
      this.changed.removed++
      pending.removes.push(key)
    }
  }

  #differs(kind: Difference['kind'], key: Key, places: readonly number[] = []): void {
    const { table } = this.#deps
    const columns = places.map((place) => table.columns[place]?.name ?? '')
    this.differences.add({ table: table.name, key: printKey(table, key), kind, columns })
  }

  async #flush(pending: Pending, atLeast: number): Promise<void> {
    const { table, target } = this.#deps
    if (pending.removes.length >= atLeast) await target.remove(table, pending.removes.splice(0))
    if (pending.puts.length < atLeast) return
    for (const { row, reason } of await target.put(table, pending.puts.splice(0))) this.#refused(row, reason)
  }

  #refused(row: Row, reason: string): void {
    const { table } = this.#deps
    const key = printKey(table, keyOf(table, row))
    this.impossible++
    this.oddities.add({ table: table.name, key, column: '', kind: 'impossible', reason })
  }

  /** Decides on the rows that were kept, once all of the table was seen in this mode. */
  async settle(mode: MergeMode): Promise<void> {
    const [moved, suspects] = [this.#moved, this.#suspects]
    this.#moved = new Map()
    this.#suspects = []
    const pending: Pending = { puts: [], removes: [] }
    for (const key of suspects) {
      if (moved.has(JSON.stringify(key))) continue
      if (mode === 'compare') this.#differs('extra', key)
      else {
        this.changed.removed++
        pending.removes.push(key)
      }
    }
    for (const row of moved.values()) await this.#settleMoved(row, mode, pending)
    await this.#flush(pending, 1)
  }

  async #settleMoved(row: Row, mode: MergeMode, pending: Pending): Promise<void> {
    const { table, source, target } = this.#deps
    const key = keyOf(table, row)
    const twin = await source.find(table, key)
    if (twin !== undefined && mode !== 'clear') {
      this.#refused(row, 'another row has the key that this one would get')
      return
    }
    const found = await target.find(table, key)
    const different = found === undefined ? [] : differing(found.values, row)
    if (found !== undefined && different.length === 0) return
    if (mode === 'write') {
      this.changed[found === undefined ? 'added' : 'updated']++
      pending.puts.push(row)
    }
    if (mode === 'compare') this.#differs(found === undefined ? 'missing' : 'different', key, different)
  }
}

const differing = (a: Row, b: Row): number[] => a.flatMap((value, place) => (value === b[place] ? [] : [place]))
