import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Change } from '#storage/change.ts'
import type { Database } from '#storage/database.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { findState, stateRows, statesBelow } from '#storage/stores/states.ts'
import { eachDatabase, type TestDatabase } from '#storage/testing/each-database.ts'
import { collectStates } from './collect.ts'
import { Fingerprints } from './fingerprint.ts'
import { decodeNode, indexOfNode, isLeaf, rootIndex, stateOfNode } from './node.ts'
import { complete, isMissing } from './rows.ts'
import { type Entry, setMany } from './set.ts'
import { entries } from './trie.ts'
import { writeState } from './write.ts'

const KEYS = 700
const fingerprints = new Fingerprints(new Uint8Array(32).fill(9))
const TOTAL = row({ bytes: integer() })
const bytesOf = async (db: Database) =>
  (await db.get(TOTAL, sql`SELECT coalesce(sum(length(nodes)), 0) FROM states`))?.bytes

/** What was written of a state: to be read again as long as it lives. */
type Known = { readonly root: number; readonly values: Uint32Array; readonly fingerprint: Uint8Array }

/** A room that keeps its rows in memory too, so that it can go on making states. */
class Room {
  readonly states: Known[] = [{ root: 0, values: new Uint32Array(KEYS), fingerprint: new Uint8Array(16) }]
  readonly #rows = new Map<number, Uint8Array>()
  readonly room: number
  next = 1

  constructor(room: number) {
    this.room = room
  }

  derive(from: Known, changes: readonly Entry[], change: Change): void {
    const state = setMany({ room: this.room, row: (n) => this.#rows.get(n) }, from.root, changes, () => this.next++)
    if (isMissing(state)) throw new Error('rows are missing')
    for (const { state: number, nodes } of state.rows) this.#rows.set(number, nodes)
    const fingerprint = fingerprints.after(this.room, from.fingerprint, state.differences)
    writeState(change, { room: this.room, state, fingerprint, isFindable: true })
    const values = Uint32Array.from(from.values)
    for (const [key, value] of changes) values[key] = value
    this.states.push({ root: state.root, values, fingerprint })
  }
}

const readable = (db: Database, room: Room, { root }: Known): Promise<Uint32Array> =>
  complete(
    { room: room.room, row: () => undefined },
    (states) => stateRows(db, room.room, states),
    (rows) => entries(rows, root, KEYS),
  )

const collect = async ({ db, commit }: TestDatabase, room: Room, live: readonly Known[]): Promise<void> => {
  const options = { room: room.room, roots: live.map(({ root }) => root), below: room.next, pageRows: 7 }
  for await (const change of collectStates(db, options)) assert.ok((await commit(change)).ok)
}

/** Bytes that rows with just the needed nodes have, found by walking from each root on its own. */
const neededBytes = async (db: Database, room: Room, live: readonly Known[]): Promise<number> => {
  const rows = new Map(
    (await statesBelow(db, room.room, { below: room.next, limit: 10_000 })).map((one) => [one.state, one.nodes]),
  )
  const needed = new Map<number, Set<number>>()
  const walk = (state: number, index: number): void => {
    const node = decodeNode({ room: room.room, state }, rows.get(state) as Uint8Array, index)
    const of = needed.get(state) ?? new Set()
    needed.set(state, of.add(index))
    if (!isLeaf(node)) for (const child of node.children) walk(stateOfNode(child), indexOfNode(child))
  }
  for (const { root } of live)
    if (root !== 0) walk(root, rootIndex({ room: room.room, state: root }, rows.get(root) as Uint8Array))
  let bytes = 0
  for (const [state, indexes] of needed) {
    const row = rows.get(state) as Uint8Array
    const lengths: number[] = []
    let at = 1
    for (let index = 0; index < (row[0] as number) - 1; index++) {
      const low = row[at++] as number
      lengths.push(low < 128 ? low : (low & 127) + (row[at++] as number) * 128)
    }
    lengths.push(row.length - at - lengths.reduce((sum, length) => sum + length, 0))
    const kept = lengths.map((length, index) => (indexes.has(index) ? length : 0))
    bytes += 1 + kept.reduce((sum, length) => sum + length, 0)
    bytes += kept.slice(0, -1).reduce((sum, length) => sum + (length < 128 ? 1 : 2), 0)
  }
  return bytes
}

const change = fc.tuple(fc.nat(KEYS - 1), fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 })))
/** A state made from one of the last few. */
const step = fc.record({ back: fc.nat(3), changes: fc.array(change, { minLength: 1, maxLength: 12 }) })
const story = fc.record({
  first: fc.array(change, { minLength: 100, maxLength: 600, size: 'max' }),
  steps: fc.array(step, { minLength: 5, maxLength: 25, size: 'max' }),
  kept: fc.array(fc.nat(99), { maxLength: 5 }),
  later: fc.array(step, { maxLength: 5 }),
})

eachDatabase('collecting keeps the live states readable and gives back the bytes of all others', async (database) => {
  const { db, commit } = database
  let number = 0
  const before = await bytesOf(db)
  await fc.assert(
    fc.asyncProperty(story, async ({ first, steps, kept, later }) => {
      const room = new Room(++number)
      const make = async (from: readonly Known[], { back, changes }: { back: number; changes: readonly Entry[] }) => {
        const writing = new Change()
        room.derive(from.at(-1 - (back % from.length)) as Known, changes, writing)
        assert.ok((await commit(writing)).ok)
        return room.states.at(-1) as Known
      }
      await make(room.states, { back: 0, changes: first })
      for (const one of steps) await make(room.states, one)
      let live = kept.map((at) => room.states[at % room.states.length] as Known)
      for (const more of [[], later]) {
        for (const one of more) if (live.length > 0) live = [...live.slice(1), await make(live, one)]
        const [others, needed] = [(await bytesOf(db)) ?? 0, await neededBytes(db, room, live)]
        await collect(database, room, live)
        const left = await statesBelow(db, room.room, { below: room.next, limit: 10_000 })
        assert.equal(
          left.reduce((sum, { nodes }) => sum + nodes.length, 0),
          needed,
        )
        assert.ok(((await bytesOf(db)) ?? 0) <= others)
        for (const state of live) {
          assert.deepEqual(await readable(db, room, state), state.values)
          if (state.root === 0) continue
          const found = await findState(db, room.room, state.fingerprint)
          const same = live.filter(({ fingerprint }) => Buffer.compare(fingerprint, state.fingerprint) === 0)
          assert.ok(same.some(({ root }) => root === found))
        }
        for (const state of room.states) {
          const isLive = live.some(({ fingerprint }) => Buffer.compare(fingerprint, state.fingerprint) === 0)
          if (!isLive) assert.equal(await findState(db, room.room, state.fingerprint), undefined)
        }
      }
      await collect(database, room, [])
      assert.equal(await bytesOf(db), before)
    }),
    { numRuns: 40 },
  )
})

eachDatabase('states made while a collection runs are left alone', async (database) => {
  const { db, commit } = database
  const room = new Room(1)
  const make = async (from: Known, changes: readonly Entry[]) => {
    const writing = new Change()
    room.derive(from, changes, writing)
    await commit(writing)
    return room.states.at(-1) as Known
  }
  const all = Array.from({ length: KEYS }, (_, key): Entry => [key, key + 1])
  let live = await make(room.states[0] as Known, all)
  for (let n = 0; n < 30; n++) live = await make(live, [[n * 20, 5000 + n]])
  const options = { room: 1, roots: [live.root], below: room.next, pageRows: 5 }
  let young = live
  for await (const collecting of collectStates(db, options)) {
    young = await make(young, [[room.next, 1]])
    await commit(collecting)
  }
  for (const state of [live, young]) assert.deepEqual(await readable(db, room, state), state.values)
})
