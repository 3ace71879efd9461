import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import vectors from '#test/vectors/canonical-json.json' with { type: 'json' }
import type { Json, JsonObject } from '#util/json.ts'
import { canonicalJson, canonicalJsonWithout } from './canonical-json.ts'
import { anyJson, anyJsonObject } from './event-builder.testing.ts'
import { RawNumber } from './raw-number.ts'
import { readJson } from './read-json.ts'

const read = (text: string): Json => {
  const result = readJson(text)
  assert.ok(result.ok)
  return result.value
}

/** Slow and plain: what the fast printer must agree with. */
const printPlainly = (value: Json): string => {
  if (Array.isArray(value)) return `[${value.map(printPlainly).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, item]) => ({
    key,
    text: `${JSON.stringify(key)}:${printPlainly(item)}`,
  }))
  // UTF-8 sorts bytewise as its code points do.
  members.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
  return `{${members.map(({ text }) => text).join(',')}}`
}

test('the published examples are printed as published', () => {
  for (const { json, canonical } of vectors.cases) assert.equal(canonicalJson(read(json)), canonical)
})

test('a value is the same after print and parse, and prints the same again', () => {
  fc.assert(
    fc.property(anyJson, (value) => {
      const text = canonicalJson(value)
      assert.deepEqual(JSON.parse(text), value)
      assert.equal(canonicalJson(JSON.parse(text)), text)
      assert.equal(canonicalJson(read(text)), text)
      assert.equal(text, printPlainly(value))
    }),
  )
})

test('any text is printed as the plain printer does, as key and as value, wherever it stands', () => {
  const texts = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(texts, texts, (outer, inner) => {
      const objects: readonly JsonObject[] = [outer, { ...outer, inner }, { a: [outer, [{ inner }]] }]
      for (const object of objects) assert.equal(canonicalJson(object), printPlainly(object))
    }),
  )
})

test('keys are sorted by code point, not by UTF-16 unit', () => {
  assert.equal(
    canonicalJson({ '😀': 1, '\uffff': 2, a: 3, 'a😀': 4, 'a\ue000': 5 }),
    '{"a":3,"a\ue000":5,"a😀":4,"\uffff":2,"😀":1}',
  )
  const mixed = { '😀': 1, '\uffff': 2 }
  assert.equal(canonicalJson({ a: { b: mixed } }), '{"a":{"b":{"\uffff":2,"😀":1}}}')
  assert.equal(canonicalJson([1, [mixed]]), '[1,[{"\uffff":2,"😀":1}]]')
})

test('keys that look like array indices are sorted as text', () => {
  assert.equal(canonicalJson({ 10: 1, 9: 2, '-': 3, a: 4, '': 5 }), '{"":5,"-":3,"10":1,"9":2,"a":4}')
})

test('many keys are sorted too', () => {
  const keys = Array.from({ length: 200 }, (_, i) => `@user${i}:x`)
  const sorted = keys.toSorted()
  assert.equal(
    canonicalJson(Object.fromEntries(keys.map((key) => [key, 1]))),
    `{${sorted.map((key) => `"${key}":1`).join(',')}}`,
  )
})

test('__proto__ is a key like any other', () => {
  assert.equal(
    canonicalJson(JSON.parse('{"b":{"__proto__":{"x":1}},"__proto__":2}')),
    '{"__proto__":2,"b":{"__proto__":{"x":1}}}',
  )
})

test('control characters have the shortest escapes', () => {
  assert.equal(
    canonicalJson('\u0000\b\t\n\f\r\u001f"\\/\u007f\u2028é'),
    '"\\u0000\\b\\t\\n\\f\\r\\u001f\\"\\\\/\u007f\u2028é"',
  )
})

test('properties may be left out at the top', () => {
  assert.equal(canonicalJsonWithout({ b: 1, a: { b: 2 }, c: 3 }, ['b', 'c']), '{"a":{"b":2}}')
  assert.equal(canonicalJsonWithout({ b: 1, a: { b: 2 }, 1: 3 }, ['b', 'c']), '{"1":3,"a":{"b":2}}')
})

test('properties that are undefined are left out', () => {
  const object = { a: undefined, b: 1 } as unknown as JsonObject
  assert.equal(canonicalJson(object), '{"b":1}')
  assert.equal(canonicalJson({ 1: object }), '{"1":{"b":1}}')
})

test('a value of any depth is printed', () => {
  for (const depth of [499, 500, 501, 100_000]) {
    const text = `${'['.repeat(depth)}${'{"a":['.repeat(2)}${']}'.repeat(2)}${']'.repeat(depth)}`
    assert.equal(canonicalJson(JSON.parse(text)), text)
  }
})

test('numbers that events of versions 1 to 5 may have are printed as they were written', () => {
  const same = ['1.0', '-0.0', '50.57', '1e+16', '1.5e-05', '9007199254740993', '-9223372036854775808', '1e400']
  for (const source of same) assert.equal(canonicalJson([new RawNumber(source)] as unknown as Json), `[${source}]`)
  const integers = { '-0': '0', '1e10': '10000000000', '15E-1': '15E-1', '1.5e3': '1500', '-0e0': '0' }
  for (const [source, text] of Object.entries(integers)) assert.equal(canonicalJson(read(source)), text)
})

test('text with any numbers that JSON knows is printed the same after print and parse', () => {
  const number = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,5})?([eE][+-]?\d{1,3})?$/)
  fc.assert(
    fc.property(fc.array(number), number, (numbers, one) => {
      const text = `{"a":[${numbers.join(', ')}],"b":{"c" : ${one}}}`
      const printed = canonicalJson(read(text))
      assert.equal(canonicalJson(read(printed)), printed)
      const whole = /^-?0$|[eE]/
      const asWritten = [...numbers, one].filter((source) => !whole.test(source))
      const kept = [...printed.matchAll(/[-0-9.eE+]+(?=[,\]}])/g)].map(([source]) => source)
      for (const source of asWritten) assert.ok(kept.includes(source), `${source} in ${printed}`)
    }),
  )
})

test('an object is not changed by printing it', () => {
  fc.assert(
    fc.property(anyJsonObject, (value) => {
      const before = JSON.stringify(value)
      canonicalJson(value)
      assert.equal(JSON.stringify(value), before)
    }),
  )
})
