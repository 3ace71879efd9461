import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json } from '#util/json.ts'
import { anyJson } from './event-builder.testing.ts'
import { RawNumber } from './raw-number.ts'
import { readJson } from './read-json.ts'

const read = (text: string): Json => {
  const result = readJson(text)
  assert.ok(result.ok)
  return result.value
}

test('JSON of plain integers is read as JSON.parse reads it', () => {
  const plain = anyJson.filter((value) => !/\d[.eE]|\d{16}/.test(JSON.stringify(value)))
  fc.assert(fc.property(plain, (value) => assert.deepEqual(read(JSON.stringify(value)), value)))
})

test('a number that is no plain safe integer keeps its text, wherever it stands', () => {
  const sources = [
    '1.0',
    '-0',
    '-0.0',
    '0.5',
    '1e10',
    '1E5',
    '-1.5e-3',
    '9007199254740992',
    '-9007199254740992',
    '123456789012345678901',
  ]
  for (const source of sources) {
    const raw = new RawNumber(source)
    assert.deepEqual(read(source), raw)
    assert.deepEqual(read(` \n${source}\t`), raw)
    assert.deepEqual(read(`[1,${source}]`), [1, raw])
    assert.deepEqual(read(`{"a":${source},"b": ${source} ,"c":[[\n${source}]]}`), { a: raw, b: raw, c: [[raw]] })
  }
})

test('safe integers are numbers', () => {
  for (const n of [0, 1, -1, 9007199254740991, -9007199254740991, 1700000000000]) {
    assert.equal(read(String(n)), n)
    assert.deepEqual(read(`[${n}, 0.5]`), [n, new RawNumber('0.5')])
  }
})

test('text that looks like a number stays text', () => {
  assert.deepEqual(read('{"a":"x, 1.5","1.0":":-0"}'), { a: 'x, 1.5', '1.0': ':-0' })
})

test('a number that was read is printed as it was written by JSON.stringify as well', () => {
  assert.equal(JSON.stringify(read('{"a":[1.50,1e10]}')), '{"a":[1.50,1e10]}')
})

test('of keys that stand twice the last counts', () => {
  assert.deepEqual(read('{"a":1,"a":2}'), { a: 2 })
  assert.deepEqual(read('{"a":1.5,"a":2.5,"b":{"c":1.5},"b":3}'), { a: new RawNumber('2.5'), b: 3 })
})

test('__proto__ is an own property', () => {
  for (const text of ['{"__proto__":{"polluted":1}}', '{"__proto__":{"polluted":1.5}}']) {
    const object = read(text) as object
    assert.deepEqual(Object.keys(object), ['__proto__'])
    assert.equal(Object.getPrototypeOf(object), Object.prototype)
    assert.equal('polluted' in object, false)
  }
})

test('nesting of up to 500 levels is read, deeper nesting is refused', () => {
  const nested = (depth: number, inner = '') => `${'[{"a":'.repeat(depth / 2)}[${inner}]${'}]'.repeat(depth / 2)}`
  assert.ok(readJson(nested(498)).ok)
  assert.ok(readJson(nested(498, '1.5')).ok)
  for (const text of [nested(500), nested(500, '1.5'), nested(200_000), '['.repeat(501) + ']'.repeat(501)]) {
    const result = readJson(text)
    assert.ok(!result.ok)
    assert.equal(result.rule, 'json_depth')
  }
})

test('text that is no JSON is refused', () => {
  for (const text of ['', '{', '[1,]', 'NaN', '01', '"\n"', '{"a":1}x', 'undefined']) {
    const result = readJson(text)
    assert.ok(!result.ok)
    assert.equal(result.rule, 'json')
  }
})

test('no text makes reading throw, and text is JSON where the platform says so', () => {
  const pieces = fc.array(
    fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '-', '0', '1', '.', 'e', ' ', '\\', 'null'),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        pieces.map((each) => each.join('')),
      ),
      (text) => {
        assert.equal(readJson(text).ok, isJson(text))
      },
    ),
    { numRuns: 1000 },
  )
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
