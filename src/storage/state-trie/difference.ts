import { type Branch, highestKey, isLeaf, type Leaf, lowestKey, slotsOf } from './node.ts'
import { ALL_KEYS, childRange, type KeyRange, type Missing, type StateRows, Visit } from './rows.ts'
import { eachEntry } from './trie.ts'

/** A key whose value differs between two states: 0 where a state has none. */
export type Difference = { readonly key: number; readonly before: number; readonly after: number }

/** Where two states of a room differ, by rising keys. Costs what was changed since they parted. */
export const difference = (rows: StateRows, before: number, after: number): Difference[] | Missing => {
  const visit = new Visit(rows)
  const roots = [visit.root(before), visit.root(after)] as const
  const pass = new DifferencePass(visit)
  if (roots[0] !== undefined && roots[1] !== undefined) pass.compare(roots[0], roots[1], ALL_KEYS)
  return visit.answer(() => pass.found.sort((a, b) => a.key - b.key))
}

class DifferencePass {
  readonly found: Difference[] = []
  readonly #visit: Visit

  constructor(visit: Visit) {
    this.#visit = visit
  }

  /** Compares what stands below two nodes; 0 is none. */
  compare(a: number, b: number, range: KeyRange): void {
    if (a === b) return
    const nodeA = a === 0 ? NOTHING : this.#visit.node(a, range)
    const nodeB = b === 0 ? NOTHING : this.#visit.node(b, range)
    // What is missing on one side would let all of the other side look different.
    if (nodeA === undefined || nodeB === undefined) return
    if (isLeaf(nodeA) || isLeaf(nodeB)) this.#merge(a, b, range)
    else if (nodeA.level === nodeB.level && nodeA.prefix === nodeB.prefix) this.#compareChildren(nodeA, nodeB)
    else if (contains(nodeA, nodeB))
      this.#descend(nodeA, b, lowestKey(nodeB), (child, other, at) => this.compare(child, other, at))
    else if (contains(nodeB, nodeA))
      this.#descend(nodeB, a, lowestKey(nodeA), (child, other, at) => this.compare(other, child, at))
    else {
      this.#merge(a, 0, range)
      this.#merge(0, b, range)
    }
  }

  #compareChildren(a: Branch, b: Branch): void {
    const others = slotsOf(b)
    slotsOf(a).forEach((child, digit) => {
      const other = others[digit] as number
      if (child !== other) this.compare(child, other, childRange(a, digit))
    })
  }

  /** Compares a branch with a node that belongs below one of its digits: the one whose range has the key `within`. */
  #descend(
    branch: Branch,
    inner: number,
    within: number,
    compare: (child: number, other: number, range: KeyRange) => void,
  ): void {
    slotsOf(branch).forEach((child, digit) => {
      const range = childRange(branch, digit)
      const other = within >= range[0] && within <= range[1] ? inner : 0
      compare(child, other, range)
    })
  }

  /** At least one of the two has few entries or the other has none of them: all are read. */
  #merge(a: number, b: number, range: KeyRange): void {
    const before = new Map<number, number>()
    eachEntry(this.#visit, a, (key, value) => before.set(key, value), range)
    eachEntry(
      this.#visit,
      b,
      (key, value) => {
        const old = before.get(key) ?? 0
        before.delete(key)
        if (old !== value) this.found.push({ key, before: old, after: value })
      },
      range,
    )
    for (const [key, value] of before) this.found.push({ key, before: value, after: 0 })
  }
}

const NOTHING: Leaf = { keys: [], values: [] }

const contains = (outer: Branch, inner: Branch): boolean =>
  outer.level > inner.level && lowestKey(outer) <= lowestKey(inner) && highestKey(inner) <= highestKey(outer)
