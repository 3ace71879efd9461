import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRange } from './byte-range.ts'

test('a range of bytes is read as HTTP says', () => {
  for (const [header, expected] of [
    ['bytes=0-0', { start: 0, length: 1 }],
    ['bytes=2-5', { start: 2, length: 4 }],
    ['bytes=4-', { start: 4, length: 6 }],
    ['bytes=4-99', { start: 4, length: 6 }],
    ['bytes=-3', { start: 7, length: 3 }],
    ['bytes=-99', { start: 0, length: 10 }],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-20', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-4', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=0-1,4-5', 'whole'],
    ['lines=1-2', 'whole'],
    ['bytes=1e1-', 'whole'],
    [undefined, 'whole'],
  ] as const) {
    assert.deepEqual(readRange(header, 10), expected, String(header))
  }
  assert.equal(readRange('bytes=0-', 0), 'unsatisfiable')
  assert.equal(readRange('bytes=-5', 0), 'unsatisfiable')
})
