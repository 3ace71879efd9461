import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget, ByteCache } from '#util/byte-cache.ts'
import { KeptReads } from './kept-reads.ts'

/** Reads that end when the test says so. */
function slowReads(maxBytes = 100_000) {
  const waiting: { readonly key: number; readonly end: (value: number[]) => void; readonly fail: () => void }[] = []
  const budget = new Budget(maxBytes)
  const kept = new ByteCache<number, number[]>({ budget, sizeOf: (list) => list.length * 8 })
  const reads = new KeptReads(
    kept,
    (key) => new Promise((end, fail) => waiting.push({ key, end, fail: () => fail(new Error('gone')) })),
  )
  return { reads, waiting, budget, kept }
}

test('all who ask at once share one read, and it is kept', async () => {
  const { reads, waiting } = slowReads()
  const [one, other] = [reads.get(1), reads.get(1)]
  assert.equal(waiting.length, 1)
  assert.equal(reads.peek(1), undefined)
  waiting[0]?.end([7])
  assert.equal(await one, await other)
  assert.deepEqual(reads.peek(1), [7])
  assert.deepEqual(await reads.get(1), [7])
  assert.equal(waiting.length, 1)
})

test('what is committed while a read is under way is in what it gives, in order', async () => {
  const { reads, waiting } = slowReads()
  const read = reads.get(1)
  reads.change(1, (list) => list.push(8))
  reads.change(1, (list) => list.push(9))
  waiting[0]?.end([7])
  assert.deepEqual(await read, [7, 8, 9])
  reads.change(1, (list) => list.push(10))
  assert.deepEqual(await read, [7, 8, 9, 10])
  reads.change(2, () => assert.fail('nobody asked for it'))
})

test('what grows is counted, and what is too large for the budget is read again each time', async () => {
  const { reads, waiting, kept } = slowReads(1_000)
  const read = reads.get(1)
  waiting[0]?.end([1])
  await read
  const before = kept.counts.bytes
  reads.change(1, (list) => list.push(2, 3))
  assert.equal(kept.counts.bytes, before + 16)
  reads.change(1, (list) => list.push(...Array.from({ length: 200 }, () => 0)))
  assert.equal(reads.peek(1), undefined)
  const again = reads.get(1)
  assert.equal(waiting.length, 2)
  waiting[1]?.end([5])
  assert.deepEqual(await again, [5])
})

test('a read that was dropped or that failed is not kept', async () => {
  const { reads, waiting } = slowReads()
  const dropped = reads.get(1)
  reads.drop(1)
  const later = reads.get(1)
  waiting[0]?.end([1])
  assert.deepEqual(await dropped, [1])
  assert.equal(reads.peek(1), undefined)
  waiting[1]?.end([2])
  assert.deepEqual(await later, [2])
  assert.deepEqual(reads.peek(1), [2])
  const failed = reads.get(3)
  waiting[2]?.fail()
  await assert.rejects(failed)
  assert.equal(waiting.length, 3)
  reads.get(3).catch(() => {})
  assert.equal(waiting.length, 4)
})
