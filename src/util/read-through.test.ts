import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget, ByteCache } from './byte-cache.ts'
import { ReadThrough } from './read-through.ts'

const cacheOf = () => new ByteCache<number, string>({ budget: new Budget(10_000), sizeOf: () => 100 })

test('a value is read once for all who ask, and kept', async () => {
  let reads = 0
  const values = new ReadThrough({ cache: cacheOf(), read: async (key: number) => `${key}:${++reads}` })
  assert.deepEqual(await Promise.all([values.get(1), values.get(1), values.get(2)]), ['1:1', '1:1', '2:2'])
  assert.equal(await values.get(1), '1:1')
  values.forget(1)
  assert.equal(await values.get(1), '1:3')
})

test('a value that is forgotten while it is being read is read again', async () => {
  const answers: ((value: string) => void)[] = []
  const values = new ReadThrough({
    cache: cacheOf(),
    read: () => new Promise<string>((resolve) => answers.push(resolve)),
  })
  const early = values.get(1)
  values.forget(1)
  const late = values.get(1)
  answers[1]?.('new')
  answers[0]?.('old')
  assert.deepEqual(await Promise.all([early, late]), ['old', 'new'])
  assert.equal(await values.get(1), 'new')
})

test('a read that fails is tried again by whoever asks next', async () => {
  let reads = 0
  const values = new ReadThrough({
    cache: cacheOf(),
    read: () => {
      reads++
      if (reads === 1) throw new Error('not now')
      return Promise.resolve('there')
    },
  })
  await assert.rejects(values.get(1), /not now/)
  assert.equal(await values.get(1), 'there')
})
