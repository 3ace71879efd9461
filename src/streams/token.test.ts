import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { printToken, readToken } from './token.ts'

const number = fc.integer({ min: 0, max: 2 ** 50 })
const plain = { noNullPrototype: true }
const token = fc.record(
  {
    incarnation: number,
    position: number,
    toDevice: number,
    stamp: fc.option(fc.record({ boot: fc.stringMatching(/^[0-9a-z]{1,16}$/), count: number }, plain), {
      nil: undefined,
    }),
    place: fc.option(fc.record({ depth: fc.maxSafeNat(), pos: number, isForward: fc.boolean() }, plain), {
      nil: undefined,
    }),
  },
  plain,
)

test('a token is read as it was printed, and may stand in a URL', () => {
  fc.assert(
    fc.property(token, (one) => {
      const text = printToken(one)
      assert.match(text, /^[0-9A-Za-z_-]{1,99}$/)
      assert.deepEqual(readToken(text), one)
    }),
  )
})

test('no text makes reading a token fail otherwise than by saying so', () => {
  fc.assert(fc.property(fc.string(), (text) => void readToken(text)))
  for (const text of ['', 's123_4', 'y1', 'y1_1_2', 'y1_1_2_3', 'y1_1_2_3__x', 'y1_-1_2_3_', 'y2_1_2_3_']) {
    assert.equal(readToken(text), undefined)
  }
})
