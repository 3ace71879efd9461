import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Limiter } from './limiter.ts'

test('what is given back was not taken', async () => {
  const limiter = new Limiter({ perSecond: 0.001, burst: 2 }, { now: () => 0, after: () => () => {} })
  for (let n = 0; n < 5; n++) {
    await limiter.take('a')
    limiter.refund('a')
  }
  limiter.refund('a', 10)
  await limiter.take('a')
  await limiter.take('a')
  await assert.rejects(limiter.take('a'), { errcode: 'M_LIMIT_EXCEEDED' })
  await limiter.take('b')
})
