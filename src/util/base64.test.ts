import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64, encodeUrlSafeBase64 } from './base64.ts'

test('base64 is written without padding', () => {
  const published = { '': '', f: 'Zg', fo: 'Zm8', foo: 'Zm9v', foob: 'Zm9vYg', fooba: 'Zm9vYmE', foobar: 'Zm9vYmFy' }
  for (const [text, base64] of Object.entries(published)) assert.equal(encodeBase64(Buffer.from(text)), base64)
})

test('base64 is read in both alphabets, with and without padding', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const padded = Buffer.from(bytes).toString('base64')
      for (const text of [encodeBase64(bytes), encodeUrlSafeBase64(bytes), padded]) {
        assert.deepEqual(decodeBase64(text), Buffer.from(bytes))
      }
    }),
  )
})

test('text that is not base64 is not read', () => {
  for (const text of ['a', 'abcde', 'ab c', 'ab\n', 'a===', '=', 'aä', '===='])
    assert.equal(decodeBase64(text), undefined)
})
