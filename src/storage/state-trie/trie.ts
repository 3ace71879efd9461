import { CorruptState } from './corrupt-state.ts'
import { childAt, digitOf, FAN_OUT, isLeaf } from './node.ts'
import { ALL_KEYS, childRange, type KeyRange, type Missing, type StateRows, Visit } from './rows.ts'

/** The value of a key in a state; 0 where the state has none. */
export const lookUp = (rows: StateRows, state: number, key: number): number | Missing => {
  const visit = new Visit(rows)
  const value = find(visit, visit.root(state), key)
  return visit.answer(() => value)
}

/** The values of several keys in a state, in the order of the keys; 0 where the state has none. */
export const lookUpMany = (rows: StateRows, state: number, keys: readonly number[]): number[] | Missing => {
  const visit = new Visit(rows)
  const root = visit.root(state)
  const values = keys.map((key) => find(visit, root, key))
  return visit.answer(() => values)
}

/**
 * All entries of a state: the value of each key below `keyCount`, 0 where the state has none. The room has given out no key from `keyCount`
 * on: one that stands in the state all the same is a `CorruptState`.
 */
export const entries = (rows: StateRows, state: number, keyCount: number): Uint32Array | Missing => {
  const visit = new Visit(rows)
  const values = new Uint32Array(keyCount)
  eachEntry(visit, visit.root(state) ?? 0, (key, value) => {
    if (key >= keyCount) throw new CorruptState({ room: rows.room, state }, `it has the unknown state key ${key}`)
    values[key] = value
  })
  return visit.answer(() => values)
}

/** Calls back for each entry below a node, by rising keys, as far as rows are at hand. */
export const eachEntry = (
  visit: Visit,
  number: number,
  callback: (key: number, value: number) => void,
  range: KeyRange = ALL_KEYS,
): void => {
  const node = number === 0 ? undefined : visit.node(number, range)
  if (node === undefined) return
  if (isLeaf(node)) {
    for (let index = 0; index < node.keys.length; index++) {
      callback(node.keys[index] as number, node.values[index] as number)
    }
    return
  }
  for (let digit = 0, index = 0; digit < FAN_OUT; digit++) {
    if ((node.digits >>> digit) & 1)
      eachEntry(visit, node.children[index++] as number, callback, childRange(node, digit))
  }
}

function find(visit: Visit, root: number | undefined, key: number): number {
  let number = root ?? 0
  let range = ALL_KEYS
  while (number !== 0) {
    const node = visit.node(number, range)
    if (node === undefined) return 0
    if (isLeaf(node)) return node.values[node.keys.indexOf(key)] ?? 0
    const digit = digitOf(key, node.level)
    range = childRange(node, digit)
    // A key outside of the branch ends at a leaf that does not have it, or here.
    if (key < range[0] || key > range[1]) return 0
    number = childAt(node, digit)
  }
  return 0
}
