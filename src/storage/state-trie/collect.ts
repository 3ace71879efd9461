import { Change } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { roomKey } from '#storage/room-key.ts'
import { stateRemoved, stateRewritten, statesBelow } from '#storage/stores/states.ts'
import { CorruptState } from './corrupt-state.ts'
import {
  decodeNode,
  indexOfNode,
  isLeaf,
  keepNodes,
  NODES_PER_ROW,
  presentNodes,
  rootIndex,
  stateOfNode,
} from './node.ts'
import type { NewRow } from './set.ts'

/** What becomes of rows: nobody needs the removed ones; the rewritten ones lose some of their nodes. */
export type CollectionPlan = {
  readonly removed: readonly number[]
  readonly rewritten: readonly (NewRow & { readonly isRootKept: boolean })[]
}

type CollectionOptions = {
  readonly room: number
  /** Numbers of the states that must stay readable. States from `below` on must be made from these only. */
  readonly roots: Iterable<number>
  /** States of this number and above stay as they are: those made since the collection began. */
  readonly below: number
}

/** Collects the states of a room, a page at a time: each change frees what one page held. Nothing may be lost if it ends halfway. */
export async function* collectStates(
  db: Reader,
  { pageRows = 1000, ...options }: CollectionOptions & { readonly pageRows?: number },
): AsyncGenerator<Change> {
  const collection = new Collection(options)
  for (let below = options.below; ; ) {
    const page = await statesBelow(db, options.room, { below, limit: pageRows })
    const last = page.at(-1)
    if (last === undefined) break
    below = last.state
    const plan = collection.sweep(page)
    if (plan.removed.length + plan.rewritten.length > 0) yield collectionChange(options.room, plan)
  }
  collection.finish()
}

/** The change that carries out a plan. */
export const collectionChange = (room: number, { removed, rewritten }: CollectionPlan): Change => {
  const change = new Change()
  for (const state of removed) change.write(stateRemoved, { state: roomKey(room, state) })
  for (const { state, ...row } of rewritten) change.write(stateRewritten, { ...row, state: roomKey(room, state) })
  return change
}

/** The bit of a state that is itself to stay; bits 0 to 15 are nodes of its row. */
const ROOT = 1 << NODES_PER_ROW

/**
 * Finds out which nodes of a room's states are needed. Nodes name only nodes of lower number: so one pass over the rows, the youngest
 * first, knows all about a row once it comes to it, and what it must remember is a few bytes a state.
 */
export class Collection {
  readonly #room: number
  readonly #marks = new Marks()
  #below: number

  constructor({ room, roots, below }: CollectionOptions) {
    this.#room = room
    this.#below = below
    for (const root of roots) if (root !== 0 && root < below) this.#marks.add(root, ROOT)
  }

  /** Plans for the next rows: numbers fall from row to row and from page to page, and none is left out. */
  sweep(page: readonly NewRow[]): CollectionPlan {
    const removed: number[] = []
    const rewritten: (NewRow & { isRootKept: boolean })[] = []
    for (const { state, nodes } of page) {
      if (state >= this.#below) throw new Error(`state ${state} was swept after ${this.#below}`)
      this.#below = state
      const address = { room: this.#room, state }
      const marks = this.#marks.take(state)
      if (marks === 0) {
        removed.push(state)
        continue
      }
      const root = 1 << rootIndex(address, nodes)
      const live = this.#markBelow(state, nodes, (marks & ROOT) === 0 ? marks : (marks & ~ROOT) | root)
      const present = presentNodes(address, nodes)
      if ((live & ~present) !== 0) throw new CorruptState(address, 'nodes that are needed were collected')
      if (live !== present) {
        rewritten.push({ state, nodes: keepNodes(address, nodes, live), isRootKept: (live & root) !== 0 })
      }
    }
    return { removed, rewritten }
  }

  /** Marks all that the live nodes of a row name; answers which nodes of the row itself are live. */
  #markBelow(state: number, row: Uint8Array, marked: number): number {
    let live = marked
    for (let index = NODES_PER_ROW - 1; index >= 0; index--) {
      if (((live >>> index) & 1) === 0) continue
      const node = decodeNode({ room: this.#room, state }, row, index)
      if (isLeaf(node)) continue
      for (const child of node.children) {
        const bit = 1 << indexOfNode(child)
        if (stateOfNode(child) === state) live |= bit
        else this.#marks.add(stateOfNode(child), bit)
      }
    }
    return live
  }

  /** After the last row: a needed row that never came is a `CorruptState`. */
  finish(): void {
    const state = this.#marks.first()
    if (state !== undefined) throw new CorruptState({ room: this.#room, state }, 'its row is gone')
  }
}

const PAGE = 4096

/** A few bits for each of millions of states, kept only while there are any. */
class Marks {
  readonly #pages = new Map<number, { readonly bits: Int32Array; states: number }>()

  add(state: number, bits: number): void {
    const number = Math.floor(state / PAGE)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = { bits: new Int32Array(PAGE), states: 0 }
      this.#pages.set(number, page)
    }
    const before = page.bits[state % PAGE] as number
    if (before === 0) page.states++
    page.bits[state % PAGE] = before | bits
  }

  /** The bits of a state, which are forgotten. */
  take(state: number): number {
    const number = Math.floor(state / PAGE)
    const page = this.#pages.get(number)
    const bits = page?.bits[state % PAGE] ?? 0
    if (page === undefined || bits === 0) return 0
    page.bits[state % PAGE] = 0
    if (--page.states === 0) this.#pages.delete(number)
    return bits
  }

  /** A state that has bits. */
  first(): number | undefined {
    for (const [number, { bits }] of this.#pages) return number * PAGE + bits.findIndex((one) => one !== 0)
    return undefined
  }
}
