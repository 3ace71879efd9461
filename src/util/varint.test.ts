import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packNumbers, unpackNumbers } from './varint.ts'

test('numbers come back as they were packed', () => {
  fc.assert(
    fc.property(fc.array(fc.maxSafeNat()), (numbers) => assert.deepEqual(unpackNumbers(packNumbers(numbers)), numbers)),
  )
  assert.equal(packNumbers([127]).length, 1)
  assert.equal(packNumbers([128]).length, 2)
})
