import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { difference } from './difference.ts'
import { isLeaf, type Node, rootIndex } from './node.ts'
import { ALL_KEYS, childRange, complete, isMissing, type StateRows, Visit } from './rows.ts'
import { build, type Entry, type NewState, setMany } from './set.ts'
import { entries, lookUp, lookUpMany } from './trie.ts'

/** Rows of a room in memory. */
class Room implements StateRows {
  readonly room = 7
  readonly rows = new Map<number, Uint8Array>()
  #last = 0

  readonly row = (state: number): Uint8Array | undefined => this.rows.get(state)
  readonly next = (): number => ++this.#last

  set(root: number, changes: readonly Entry[]): NewState {
    const made = setMany(this, root, changes, this.next)
    if (isMissing(made)) throw new Error('rows are missing')
    for (const { state, nodes } of made.rows) this.rows.set(state, nodes)
    return made
  }

  /** The shape and contents of a state, without the numbers of its nodes. */
  shape(root: number): unknown {
    const visit = new Visit(this)
    const shapeOf = (number: number, range: readonly [number, number]): unknown => {
      const node = visit.node(number, range) as Node
      if (isLeaf(node)) return node
      const digits = Array.from({ length: 32 }, (_, digit) => digit).filter((digit) => (node.digits >>> digit) & 1)
      const children = digits.map((digit, at) => shapeOf(node.children[at] as number, childRange(node, digit)))
      return { level: node.level, prefix: node.prefix, count: node.count, digits: node.digits, children }
    }
    return root === 0 ? undefined : shapeOf(visit.root(root) as number, ALL_KEYS)
  }
}

/** Keys as rooms give them out (dense), and some that are far apart. */
const key = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 90 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 2 ** 28 - 1 }) },
)
const value = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2 ** 28 - 1 }))
const batch = fc.array(fc.tuple(key, value), { maxLength: 120 })
const history = fc.array(batch, { maxLength: 8 })

const applied = (to: ReadonlyMap<number, number>, changes: readonly Entry[]): Map<number, number> => {
  const model = new Map(to)
  for (const [at, to] of changes) {
    if (to === 0) model.delete(at)
    else model.set(at, to)
  }
  return model
}
const naiveDifference = (a: ReadonlyMap<number, number>, b: ReadonlyMap<number, number>) =>
  [...new Set([...a.keys(), ...b.keys()])]
    .sort((one, other) => one - other)
    .map((at) => ({ key: at, before: a.get(at) ?? 0, after: b.get(at) ?? 0 }))
    .filter(({ before, after }) => before !== after)

test('a state has one shape, whatever the order and the batches it was made in', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 40 }), (batches, size) => {
      const room = new Room()
      const model = batches.reduce(applied, new Map<number, number>())
      const atOnce = build(room.room, [...model], room.next)
      for (const { state, nodes } of atOnce.rows) room.rows.set(state, nodes)
      const byBatches = batches.reduce((root, changes) => room.set(root, changes).root, 0)
      const all = batches.flat()
      let byParts = 0
      for (let at = 0; at < all.length; at += size) byParts = room.set(byParts, all.slice(at, at + size)).root
      assert.deepEqual(room.shape(byBatches), room.shape(atOnce.root))
      assert.deepEqual(room.shape(byParts), room.shape(atOnce.root))
    }),
    { numRuns: 300 },
  )
})

test('taking away all but a few entries, in any order, leaves the shape of those few', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { minLength: 30, maxLength: 150 }),
      fc.integer({ min: 0, max: 40 }),
      fc.integer({ min: 1, max: 7 }),
      (keys, left, size) => {
        const room = new Room()
        let root = room.set(
          0,
          keys.map((at) => [at, (at % 99) + 1]),
        ).root
        const gone = keys.slice(left)
        for (let at = 0; at < gone.length; at += size) {
          root = room.set(
            root,
            gone.slice(at, at + size).map((one) => [one, 0]),
          ).root
        }
        const few = room.set(
          0,
          keys.slice(0, left).map((at) => [at, (at % 99) + 1]),
        ).root
        assert.deepEqual(room.shape(root), room.shape(few))
      },
    ),
    { numRuns: 200 },
  )
})

test('every state of a history answers as a map would, and says what changed', () => {
  fc.assert(
    fc.property(history, fc.array(key, { maxLength: 50 }), (batches, probes) => {
      const room = new Room()
      let [root, model] = [0, new Map<number, number>()]
      for (const changes of batches) {
        const [before, old] = [root, model]
        model = applied(model, changes)
        const made = room.set(root, changes)
        root = made.root
        assert.deepEqual(made.differences, naiveDifference(old, model))
        assert.equal(root === before, made.differences.length === 0)
        const asked = [...probes, ...model.keys()]
        assert.deepEqual(
          lookUpMany(room, root, asked),
          asked.map((at) => model.get(at) ?? 0),
        )
        assert.deepEqual(
          lookUpMany(room, before, asked),
          asked.map((at) => old.get(at) ?? 0),
        )
      }
    }),
    { numRuns: 300 },
  )
})

test('the difference of two states is what comparing all entries finds', () => {
  fc.assert(
    fc.property(history, history, history, (common, left, right) => {
      const room = new Room()
      const play = (from: readonly [number, Map<number, number>], batches: readonly (readonly Entry[])[]) =>
        batches.reduce<readonly [number, Map<number, number>]>(
          ([root, model], changes) => [room.set(root, changes).root, applied(model, changes)],
          from,
        )
      const base = play([0, new Map()], common)
      const [a, modelA] = play(base, left)
      const [b, modelB] = play(base, right)
      assert.deepEqual(difference(room, a, b), naiveDifference(modelA, modelB))
      assert.deepEqual(difference(room, base[0], b), naiveDifference(base[1], modelB))
      assert.deepEqual(difference(room, a, 0), naiveDifference(modelA, new Map()))
    }),
    { numRuns: 300 },
  )
})

test('one change of a large state writes one short row, and finding it again reads a few', async () => {
  const room = new Room()
  const root = room.set(
    0,
    Array.from({ length: 30_000 }, (_, at) => [at, at + 1]),
  ).root
  const made = room.set(root, [[12_345, 40_000]])
  assert.equal(made.rows.length, 1)
  assert.equal(rootIndex({ room: 7, state: made.root }, made.rows[0]?.nodes as Uint8Array), 2)
  const read = new Set<number>()
  const load = async (states: readonly number[]) =>
    new Map(states.map((state) => [state, room.row(read.add(state) && state) as Uint8Array]))
  const nothing = { room: 7, row: () => undefined }
  const found = await complete(nothing, load, (rows) => difference(rows, root, made.root))
  assert.deepEqual(found, [{ key: 12_345, before: 12_346, after: 40_000 }])
  assert.ok(read.size <= 4, `${read.size} rows were read`)
  assert.deepEqual(made.differences, [{ key: 12_345, before: 12_346, after: 40_000 }])
})

test('an operation names the rows it misses and is completed once they are loaded, level by level', async () => {
  const room = new Room()
  const old = room.set(
    0,
    Array.from({ length: 5000 }, (_, at) => [at, at + 1]),
  ).root
  const young = room.set(old, [
    [70, 9000],
    [4000, 0],
    [4999, 0],
  ]).root
  const nothing = { room: 7, row: () => undefined }
  let loads = 0
  const load = async (states: readonly number[]) => {
    loads++
    assert.equal(new Set(states).size, states.length)
    return new Map(states.map((state) => [state, room.row(state) as Uint8Array]))
  }
  const operations: ((rows: StateRows) => unknown)[] = [
    (rows) => lookUp(rows, young, 4000),
    (rows) => entries(rows, young, 5000),
    (rows) => difference(rows, old, young),
    (rows) =>
      setMany(
        rows,
        young,
        [
          [1, 0],
          [4500, 12],
        ],
        () => 77,
      ),
    (rows) =>
      setMany(
        rows,
        young,
        Array.from({ length: 4990 }, (_, at) => [at, 0]),
        () => 77,
      ),
  ]
  for (const operation of operations) {
    loads = 0
    assert.deepEqual(await complete(nothing, load, operation), operation(room))
    assert.ok(loads > 0 && loads <= 4, `${loads} loads`)
  }
})

test('a number is given out only once nothing is missing, and older states are never named by younger numbers', () => {
  const room = new Room()
  const root = room.set(
    0,
    Array.from({ length: 100 }, (_, at) => [at, at + 1]),
  ).root
  const never = () => assert.fail('a number was taken')
  assert.ok(isMissing(setMany({ room: 7, row: () => undefined }, root, [[5, 9]], never)))
  assert.deepEqual(
    setMany(
      room,
      root,
      [
        [5, 6],
        [200, 0],
      ],
      never,
    ),
    { root, rows: [], differences: [] },
  )
  const late = new Room()
  const states = [9, 3]
  const first = setMany(
    late,
    0,
    Array.from({ length: 100 }, (_, at) => [at, 1]),
    () => states[0] as number,
  ) as NewState
  for (const { state, nodes } of first.rows) late.rows.set(state, nodes)
  assert.throws(() => setMany(late, 9, [[1, 5]], () => states[1] as number), /younger node/)
})

test('what a state cannot hold is refused', () => {
  for (const [at, to] of [
    [-1, 1],
    [2 ** 28, 1],
    [1, 2 ** 28],
    [1, -1],
    [0.5, 1],
    [1, Number.NaN],
  ] as const) {
    assert.throws(() => build(1, [[at, to]], () => 1), RangeError)
  }
})
