import { CorruptState } from './corrupt-state.ts'
import {
  decodeNode,
  FAN_OUT,
  highestKey,
  indexOfNode,
  lowestKey,
  NODES_PER_ROW,
  type Node,
  rootIndex,
  stateOfNode,
} from './node.ts'

/** The rows of a room's states that are at hand. */
export type StateRows = {
  readonly room: number
  /** The packed nodes of the state of that number, or `undefined` where they must be loaded first. */
  readonly row: (state: number) => Uint8Array | undefined
}
/** What an operation answers when it cannot go on: the states whose rows it needs. Once they are at hand, it is asked again. */
export type Missing = { readonly missing: readonly number[] }
/** Reads rows by their states' numbers. */
export type LoadRows = (states: readonly number[]) => Promise<ReadonlyMap<number, Uint8Array>>

/** Whether an operation answered that it lacks rows. */
export const isMissing = (answer: unknown): answer is Missing =>
  typeof answer === 'object' && answer !== null && 'missing' in answer

/** Asks an operation again and again, each time with the rows it missed, until it is done. A row that is not there is a `CorruptState`. */
export const complete = async <T>(
  atHand: StateRows,
  load: LoadRows,
  operation: (rows: StateRows) => T | Missing,
): Promise<T> => {
  const loaded = new Map<number, Uint8Array>()
  const rows = { room: atHand.room, row: (state: number) => loaded.get(state) ?? atHand.row(state) }
  for (;;) {
    const answer = operation(rows)
    if (!isMissing(answer)) return answer
    const found = await load(answer.missing)
    for (const state of answer.missing) {
      const row = found.get(state)
      if (row === undefined) throw new CorruptState({ room: atHand.room, state }, 'its row is gone')
      loaded.set(state, row)
    }
  }
}

/** Which keys may stand below a place in the trie: from, to. */
export type KeyRange = readonly [number, number]
/** The range of a root: all that the digits of a key can say. */
export const ALL_KEYS: KeyRange = [0, 2 ** 30 - 1]

/** One pass over tries: decodes nodes and takes note of what is not at hand. */
export class Visit {
  readonly #rows: StateRows
  readonly #missing = new Set<number>()

  constructor(rows: StateRows) {
    this.#rows = rows
  }

  /** The number of a state's root node; 0 for the empty state; `undefined` if its row is not at hand. */
  root(state: number): number | undefined {
    if (state === 0) return 0
    const row = this.#row(state)
    return row && state * NODES_PER_ROW + rootIndex({ room: this.#rows.room, state }, row)
  }

  /** The node, whose keys must lie in the range, or `undefined` if its row is not at hand. */
  node(number: number, [from, to]: KeyRange): Node | undefined {
    const state = stateOfNode(number)
    const row = this.#row(state)
    if (row === undefined) return undefined
    const address = { room: this.#rows.room, state }
    const node = decodeNode(address, row, indexOfNode(number))
    if (lowestKey(node) < from || highestKey(node) > to) {
      throw new CorruptState(address, `its node ${indexOfNode(number)} is not where its keys belong`)
    }
    return node
  }

  #row(state: number): Uint8Array | undefined {
    const row = this.#rows.row(state)
    if (row === undefined) this.#missing.add(state)
    return row
  }

  /** What stands below the node contradicts it. */
  fail(number: number, reason: string): never {
    throw new CorruptState({ room: this.#rows.room, state: stateOfNode(number) }, reason)
  }

  get isMissingRows(): boolean {
    return this.#missing.size > 0
  }

  /** The answer, unless rows were missing. */
  answer<T>(result: () => T): T | Missing {
    return this.isMissingRows ? { missing: [...this.#missing] } : result()
  }
}

/** The range of the child of that digit. */
export const childRange = (branch: { readonly level: number; readonly prefix: number }, digit: number): KeyRange => {
  const span = (highestKey(branch) + 1 - lowestKey(branch)) / FAN_OUT
  const from = lowestKey(branch) + digit * span
  return [from, from + span - 1]
}
