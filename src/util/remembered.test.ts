import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget, ByteCache } from './byte-cache.ts'
import { Remembered } from './remembered.ts'

const remembered = () => new Remembered(new ByteCache<string, number>({ budget: new Budget(10_000), sizeOf: () => 8 }))

test('a read is made once for all who ask at once, and not again after', async () => {
  const one = remembered()
  let reads = 0
  const read = async () => ++reads
  assert.deepEqual(await Promise.all([one.get('a', read), one.get('a', read)]), [1, 1])
  assert.equal(await one.get('a', read), 1)
  one.forget('a')
  assert.equal(await one.get('a', read), 2)
})

test('what was forgotten while it was read is read again', async () => {
  const one = remembered()
  const { promise, resolve } = Promise.withResolvers<number>()
  const first = one.get('a', () => promise)
  one.forget('a')
  const second = one.get('a', async () => 2)
  resolve(1)
  assert.deepEqual(await Promise.all([first, second]), [1, 2])
  assert.equal(await one.get('a', async () => 3), 2)
})

test('a read that fails is made again', async () => {
  const one = remembered()
  await assert.rejects(one.get('a', () => Promise.reject(new Error('gone'))))
  assert.equal(await one.get('a', async () => 1), 1)
})
