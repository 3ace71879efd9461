import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CorruptState } from './corrupt-state.ts'
import { difference } from './difference.ts'
import { decodeNode, encodeRow, keepNodes, type Node, presentNodes, rootIndex } from './node.ts'
import { complete } from './rows.ts'
import { build, setMany } from './set.ts'
import { entries, lookUp } from './trie.ts'

const address = { room: 12, state: 34 }
const number = fc.integer({ min: 1, max: 2 ** 28 - 1 })
const leaf = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 64, max: 95 }), fc.integer({ min: 0, max: 2 ** 28 - 1 })), {
    minLength: 1,
    maxLength: 32,
  })
  .chain((keys) =>
    fc.record(
      {
        keys: fc.constant(keys.sort((a, b) => a - b)),
        values: fc.array(number, { minLength: keys.length, maxLength: keys.length }),
      },
      { noNullPrototype: true },
    ),
  )
const blockLeaf = leaf.map(({ values }) => ({ keys: values.map((_, index) => 3200 + index), values }))
const branch = fc.uniqueArray(fc.integer({ min: 0, max: 31 }), { minLength: 2, maxLength: 32 }).chain((digits) =>
  fc
    .tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.integer({ min: 0, max: 2 ** 13 - 1 }),
      fc.integer({ min: 33, max: 2 ** 28 }),
      fc.array(fc.integer({ min: 16, max: 34 * 16 - 1 }), { minLength: digits.length, maxLength: digits.length }),
    )
    .map(([level, prefix, count, children]) => {
      const bits = digits.reduce((sum, digit) => sum | (1 << digit), 0)
      return { level, prefix, count, digits: bits, children }
    }),
)
const nodes: fc.Arbitrary<Node[]> = fc.array(fc.oneof(leaf, blockLeaf, branch), { minLength: 1, maxLength: 16 })

test('nodes come back from a row as they were put in, and stay where they are when others go', () => {
  fc.assert(
    fc.property(nodes, fc.nat({ max: 65535 }), (list, live) => {
      const row = encodeRow(34, list)
      assert.equal(rootIndex(address, row), list.length - 1)
      assert.equal(presentNodes(address, row), 2 ** list.length - 1)
      const kept = keepNodes(address, row, live)
      assert.equal(presentNodes(address, kept), live & (2 ** list.length - 1))
      list.forEach((node, index) => {
        assert.deepEqual(decodeNode(address, row, index), node)
        if ((live >>> index) & 1) assert.deepEqual(decodeNode(address, kept, index), node)
        else assert.throws(() => decodeNode(address, kept, index), CorruptState)
      })
      assert.throws(() => decodeNode(address, row, list.length), CorruptState)
    }),
  )
})

const namesIt = (error: unknown): boolean =>
  error instanceof CorruptState && /^State \d+ of room 12 is damaged/.test(error.message)

test('damaged rows are told by room and state, or give another state; nothing else happens', () => {
  const made = build(
    12,
    Array.from({ length: 1200 }, (_, at) => [at, at + 5] as const),
    (() => {
      let last = 0
      return () => ++last
    })(),
  )
  const rows = new Map(made.rows.map(({ state, nodes }) => [state, nodes]))
  const states = [...rows.keys()]
  const damage = fc.record({
    state: fc.constantFrom(...states),
    at: fc.nat(3000),
    byte: fc.nat(255),
    cut: fc.option(fc.nat(3000), { freq: 4 }),
    added: fc.uint8Array({ maxLength: 3 }),
  })
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (all) => {
      const damaged = new Map(rows)
      for (const { state, at, byte, cut, added } of all) {
        const copy = Uint8Array.from(damaged.get(state) as Uint8Array)
        if (copy.length > 0) copy[at % copy.length] = byte
        damaged.set(state, Uint8Array.from([...copy.subarray(0, cut ?? copy.length), ...(cut === null ? added : [])]))
      }
      const trie = { room: 12, row: (state: number) => damaged.get(state) ?? Uint8Array.of(0) }
      const next = () => made.root + 1
      const operations: (() => unknown)[] = [
        () => lookUp(trie, made.root, 700),
        () => entries(trie, made.root, 1200),
        () => difference(trie, made.root, states[0] as number),
        () =>
          setMany(
            trie,
            made.root,
            [
              [700, 1],
              [1199, 0],
            ],
            next,
          ),
        () =>
          setMany(
            trie,
            made.root,
            Array.from({ length: 1180 }, (_, at) => [at, 0]),
            next,
          ),
      ]
      for (const operation of operations) {
        try {
          operation()
        } catch (error) {
          assert.ok(namesIt(error), String(error))
        }
      }
    }),
    { numRuns: 2000 },
  )
})

test('a row of arbitrary bytes is never read beyond its end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(15), (row, index) => {
      try {
        decodeNode(address, row, index)
      } catch (error) {
        assert.ok(namesIt(error), String(error))
      }
    }),
    { numRuns: 3000 },
  )
})

test('a row that is gone is told by room and state', async () => {
  const { root, rows } = build(12, [[1, 2]], () => 34)
  const row = rows[0]?.nodes as Uint8Array
  assert.equal(
    await complete(
      { room: 12, row: () => row },
      async () => new Map(),
      (all) => lookUp(all, root, 1),
    ),
    2,
  )
  await assert.rejects(
    complete(
      { room: 12, row: () => undefined },
      async () => new Map(),
      (all) => lookUp(all, root, 1),
    ),
    namesIt,
  )
})

test('a key that the room never gave out is damage too', () => {
  const { root, rows } = build(12, [[100, 2]], () => 34)
  assert.throws(() => entries({ room: 12, row: () => rows[0]?.nodes }, root, 100), namesIt)
})
