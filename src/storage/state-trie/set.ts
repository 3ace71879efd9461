// Over 150 lines: the one recursion that keeps the shape canonical.
import { ROOM_SPAN } from '#storage/room-key.ts'
import type { Difference } from './difference.ts'
import {
  type Branch,
  digitOf,
  encodeRow,
  FAN_OUT,
  highestKey,
  isLeaf,
  type Leaf,
  levelOf,
  lowestKey,
  NODES_PER_ROW,
  type Node,
  slotsOf,
} from './node.ts'
import { ALL_KEYS, childRange, type KeyRange, type Missing, type StateRows, Visit } from './rows.ts'
import { eachEntry } from './trie.ts'

/** A key and its value. As a change, the value 0 takes the key away. */
export type Entry = readonly [key: number, value: number]
/** The packed nodes of a new state, to be written. */
export type NewRow = { readonly state: number; readonly nodes: Uint8Array }
/** A state made from another one. */
export type NewState = {
  /** The number of the state; that of the state it was made from where nothing differs; 0 if it is empty. */
  readonly root: number
  /** All must be written for the state to be readable. The last one is the state's own. */
  readonly rows: readonly NewRow[]
  /** What really changed. */
  readonly differences: readonly Difference[]
}

/**
 * The state that has these changes over another one. `next` gives out the room's next state number, one for each row (one row as a rule);
 * it is called only once nothing is missing. Of several changes of one key the last one counts.
 */
export const setMany = (
  rows: StateRows,
  root: number,
  changes: readonly Entry[],
  next: () => number,
): NewState | Missing => {
  const visit = new Visit(rows)
  const from = visit.root(root)
  if (from === undefined) return visit.answer(() => ({ root, rows: [], differences: [] }))
  const pass = new SetPass(visit, changes)
  const made = pass.apply(from, { from: 0, to: pass.length }, ALL_KEYS)
  const copied = typeof made === 'number' && made !== 0 && made !== from ? visit.node(made, ALL_KEYS) : undefined
  return visit.answer(() => {
    const { differences } = pass
    if (made === from) return { root, rows: [], differences }
    if (made === 0) return { root: 0, rows: [], differences }
    const numbering = new Numbering(next)
    return {
      root: numbering.finish(typeof made === 'number' ? (copied as Node) : made),
      rows: numbering.rows,
      differences,
    }
  })
}

/** A state from nothing. Large ones take several rows. */
export const build = (room: number, from: readonly Entry[], next: () => number): NewState =>
  setMany({ room, row: () => undefined }, 0, from, next) as NewState

/** A node not numbered yet. */
type Draft = Leaf | DraftBranch
type DraftBranch = Omit<Branch, 'children'> & { readonly children: readonly Subtree[] }
/** A node that is there by its number, or a draft; 0 is none. */
type Subtree = number | Draft
/** Changes `from` to before `to`. */
type Slice = { readonly from: number; readonly to: number }

class SetPass {
  readonly differences: Difference[] = []
  readonly #visit: Visit
  readonly #keys: readonly number[]
  readonly #values: readonly number[]
  /** Keys that came in less keys that went. */
  #growth = 0

  constructor(visit: Visit, changes: readonly Entry[]) {
    this.#visit = visit
    for (const [key, value] of changes) {
      if (!isNumber(key) || !isNumber(value)) throw new RangeError(`a state cannot have ${key}: ${value}`)
    }
    // The sort keeps the order of equal keys.
    const sorted = changes.toSorted((a, b) => a[0] - b[0]).filter(([key], at, all) => all[at + 1]?.[0] !== key)
    this.#keys = sorted.map(([key]) => key)
    this.#values = sorted.map(([, value]) => value)
  }

  get length(): number {
    return this.#keys.length
  }

  /** What becomes of a subtree; the very same number where nothing changes. */
  apply(subtree: number, slice: Slice, range: KeyRange): Subtree {
    if (slice.from === slice.to) return subtree
    if (subtree === 0) return buildSubtree(this.#merged({ keys: [], values: [] }, slice))
    const node = this.#visit.node(subtree, range)
    if (node === undefined) return subtree
    if (isLeaf(node)) {
      const known = this.differences.length
      const merged = this.#merged(node, slice)
      return this.differences.length === known ? subtree : buildSubtree(merged)
    }
    const inside = { from: this.#before(lowestKey(node), slice), to: this.#before(highestKey(node) + 1, slice) }
    const below = this.#merged({ keys: [], values: [] }, { from: slice.from, to: inside.from })
    const kept = inside.from === inside.to ? subtree : this.#applyInside(subtree, node, inside)
    const above = this.#merged({ keys: [], values: [] }, { from: inside.to, to: slice.to })
    const outside = { keys: [...below.keys, ...above.keys], values: [...below.values, ...above.values] }
    return outside.keys.length === 0 ? kept : this.#join(kept, outside, range)
  }

  /** The first change of the slice whose key is not below `key`. */
  #before(key: number, { from, to }: Slice): number {
    let at = from
    while (at < to && (this.#keys[at] as number) < key) at++
    return at
  }

  #applyInside(number: number, branch: Branch, slice: Slice): Subtree {
    const slots: Subtree[] = slotsOf(branch)
    const grown = this.#growth
    let isChanged = false
    for (let at = slice.from; at < slice.to; ) {
      const digit = digitOf(this.#keys[at] as number, branch.level)
      const range = childRange(branch, digit)
      const group = { from: at, to: this.#before(range[1] + 1, { from: at, to: slice.to }) }
      const child = slots[digit] as number
      slots[digit] = this.apply(child, group, range)
      isChanged ||= slots[digit] !== child
      at = group.to
    }
    if (!isChanged) return number
    const count = branch.count + this.#growth - grown
    if (count <= FAN_OUT) return this.#gather(number, { ...branch, count }, slots)
    const { digits, children } = packed(slots)
    // A branch of one child is left out. More than fit a leaf remain, so it is a branch itself.
    if (children.length === 1) return children[0] as Subtree
    return { level: branch.level, prefix: branch.prefix, count, digits, children }
  }

  /** So few entries are left that they are one leaf. */
  #gather(number: number, branch: Branch, slots: readonly Subtree[]): Subtree {
    const leaf: { keys: number[]; values: number[] } = { keys: [], values: [] }
    slots.forEach((slot, digit) => {
      this.#collect(slot, leaf, childRange(branch, digit))
    })
    if (leaf.keys.length !== branch.count && !this.#visit.isMissingRows) this.#visit.fail(number, 'its count is wrong')
    return leaf.keys.length === 0 ? 0 : leaf
  }

  #collect(subtree: Subtree, into: { keys: number[]; values: number[] }, range: KeyRange): void {
    const add = (key: number, value: number) => {
      into.keys.push(key)
      into.values.push(value)
    }
    if (typeof subtree === 'number') eachEntry(this.#visit, subtree, add, range)
    else if (isLeaf(subtree))
      subtree.keys.forEach((key, index) => {
        add(key, subtree.values[index] as number)
      })
    else for (const child of subtree.children) this.#collect(child, into, range)
  }

  /** A subtree together with entries whose keys lie outside of its own range. */
  #join(subtree: Subtree, added: Leaf, range: KeyRange): Subtree {
    if (subtree === 0) return buildSubtree(added)
    const node = typeof subtree === 'number' ? this.#visit.node(subtree, range) : subtree
    if (node === undefined) return subtree
    if (isLeaf(node)) return buildSubtree(sorted(node, added))
    const [first, last] = [added.keys[0] as number, added.keys.at(-1) as number]
    const lowest = Math.min(first, lowestKey(node))
    const level = levelOf(lowest ^ Math.max(last, highestKey(node)))
    const slots = new Array<Subtree>(FAN_OUT).fill(0)
    slots[digitOf(lowestKey(node), level)] = subtree
    const branch = { level, prefix: prefixOf(lowest, level), count: node.count + added.keys.length }
    for (const part of parts(added, level)) {
      const digit = digitOf(part.keys[0] as number, level)
      const there = slots[digit] as Subtree
      slots[digit] = there === 0 ? buildSubtree(part) : this.#join(there, part, childRange(branch, digit))
    }
    return { ...branch, ...packed(slots) }
  }

  /** A leaf's entries with the changes of the slice; takes note of what differs. */
  #merged(leaf: Leaf, slice: Slice): Leaf {
    const merged: { keys: number[]; values: number[] } = { keys: [], values: [] }
    let at = slice.from
    for (let index = 0; index < leaf.keys.length || at < slice.to; ) {
      const old = leaf.keys[index] ?? Number.POSITIVE_INFINITY
      const changed = at < slice.to ? (this.#keys[at] as number) : Number.POSITIVE_INFINITY
      const key = Math.min(old, changed)
      const before = old === key ? (leaf.values[index++] as number) : 0
      const after = changed === key ? (this.#values[at++] as number) : before
      if (before !== after) this.#note({ key, before, after })
      if (after === 0) continue
      merged.keys.push(key)
      merged.values.push(after)
    }
    return merged
  }

  #note(found: Difference): void {
    this.differences.push(found)
    this.#growth += (found.after === 0 ? 0 : 1) - (found.before === 0 ? 0 : 1)
  }
}

/** Gives numbers to drafts, children first, and packs them into rows. */
class Numbering {
  readonly rows: NewRow[] = []
  readonly #next: () => number
  #state = 0
  #nodes: Node[] = []

  constructor(next: () => number) {
    this.#next = next
  }

  /** Packs the tree; answers the number of its state. */
  finish(root: Draft): number {
    this.#place(root)
    this.#flush()
    return this.#state
  }

  #place(subtree: Subtree): number {
    if (typeof subtree === 'number') return subtree
    const node = isLeaf(subtree) ? subtree : this.#placeChildren(subtree)
    if (this.#nodes.length === NODES_PER_ROW) this.#flush()
    if (this.#nodes.length === 0) this.#state = this.#next()
    return this.#state * NODES_PER_ROW + this.#nodes.push(node) - 1
  }

  #placeChildren({ level, prefix, count, digits, children }: DraftBranch): Branch {
    return { level, prefix, count, digits, children: children.map((child) => this.#place(child)) }
  }

  #flush(): void {
    this.rows.push({ state: this.#state, nodes: encodeRow(this.#state, this.#nodes) })
    this.#nodes = []
  }
}

const isNumber = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < ROOM_SPAN

const prefixOf = (key: number, level: number): number => Math.floor(key / (highestKey({ level, prefix: 0 }) + 1))

function packed(slots: readonly Subtree[]): { digits: number; children: Subtree[] } {
  const children: Subtree[] = []
  let digits = 0
  for (let digit = 0; digit < FAN_OUT; digit++) {
    const slot = slots[digit] as Subtree
    if (slot === 0) continue
    children.push(slot)
    digits |= 1 << digit
  }
  return { digits, children }
}

/** The canonical subtree of entries, by rising keys. */
function buildSubtree(from: Leaf): Subtree {
  const count = from.keys.length
  if (count <= FAN_OUT) return count === 0 ? 0 : from
  const first = from.keys[0] as number
  const level = levelOf(first ^ (from.keys[count - 1] as number))
  const slots = new Array<Subtree>(FAN_OUT).fill(0)
  for (const part of parts(from, level)) slots[digitOf(part.keys[0] as number, level)] = buildSubtree(part)
  return { level, prefix: prefixOf(first, level), count, ...packed(slots) }
}

/** Entries parted by their digit at the level. */
function* parts({ keys, values }: Leaf, level: number): Generator<Leaf> {
  for (let from = 0; from < keys.length; ) {
    const digit = digitOf(keys[from] as number, level)
    let to = from + 1
    while (to < keys.length && digitOf(keys[to] as number, level) === digit) to++
    yield { keys: keys.slice(from, to), values: values.slice(from, to) }
    from = to
  }
}

function sorted(a: Leaf, b: Leaf): Leaf {
  const all = [
    ...a.keys.map((key, index) => [key, a.values[index] as number] as const),
    ...b.keys.map((key, index) => [key, b.values[index] as number] as const),
  ]
  all.sort((one, other) => one[0] - other[0])
  return { keys: all.map(([key]) => key), values: all.map(([, value]) => value) }
}
