import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget, ByteCache } from './byte-cache.ts'
import { ReadThrough } from './read-through.ts'

const valuesOf = () => new ReadThrough(new ByteCache<number, string>({ budget: new Budget(10_000), sizeOf: () => 100 }))

test('a value is read once for all who ask, and kept', async () => {
  let reads = 0
  const values = valuesOf()
  const get = (key: number) => values.get(key, async () => `${key}:${++reads}`)
  assert.deepEqual(await Promise.all([get(1), get(1), get(2)]), ['1:1', '1:1', '2:2'])
  assert.equal(await get(1), '1:1')
  values.forget(1)
  assert.equal(await get(1), '1:3')
})

test('a value that is forgotten while it is being read is read again', async () => {
  const answers: ((value: string) => void)[] = []
  const values = valuesOf()
  const get = () => values.get(1, () => new Promise<string>((resolve) => answers.push(resolve)))
  const early = get()
  values.forget(1)
  const late = get()
  answers[1]?.('new')
  answers[0]?.('old')
  assert.deepEqual(await Promise.all([early, late]), ['old', 'new'])
  assert.equal(await get(), 'new')
})

test('a read that fails, at once or later, is tried again by whoever asks next', async () => {
  const values = valuesOf()
  const failing = () => {
    throw new Error('not now')
  }
  await assert.rejects(values.get(1, failing), /not now/)
  await assert.rejects(
    values.get(1, () => Promise.reject(new Error('gone'))),
    /gone/,
  )
  assert.equal(await values.get(1, async () => 'there'), 'there')
})
