import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDuration, parseSize } from './quantities.ts'

test('a size is a number of bytes, or has a unit of 1024', () => {
  assert.equal(parseSize(5), 5)
  assert.equal(parseSize('5'), 5)
  assert.equal(parseSize('87K'), 87 * 1024)
  assert.equal(parseSize('50M'), 52_428_800)
  assert.equal(parseSize(' 2 G '), 2 ** 31)
  assert.equal(parseSize('1T'), 2 ** 40)
})

test('a duration is a number of milliseconds, or has a unit of time', () => {
  const hour = 3_600_000
  assert.equal(parseDuration(1500), 1500)
  assert.equal(parseDuration('30s'), 30_000)
  assert.equal(parseDuration('5m'), 300_000)
  assert.equal(parseDuration('1h'), hour)
  assert.equal(parseDuration('7d'), 7 * 24 * hour)
  assert.equal(parseDuration('1w'), 7 * 24 * hour)
  assert.equal(parseDuration('1y'), 365 * 24 * hour)
})

test('what is no quantity is not taken for one', () => {
  for (const value of ['', 'M', '-1', '1.5G', '5 MB', '5x', '1e5', '50m', true, null, {}, 1.5, -1, Number.NaN, 1e30])
    assert.equal(parseSize(value), undefined, String(value))
  for (const value of ['5M', '99999999999999999999d', '9007199254740991y'])
    assert.equal(parseDuration(value), undefined)
})

test('a quantity is a safe whole number, whatever is given', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      for (const parsed of [parseSize(value), parseDuration(value)])
        assert.ok(parsed === undefined || (Number.isSafeInteger(parsed) && parsed >= 0))
    }),
  )
  fc.assert(fc.property(fc.nat(), (count) => parseSize(`${count}K`) === count * 1024 && parseSize(count) === count))
})
