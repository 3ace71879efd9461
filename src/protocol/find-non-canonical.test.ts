import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MAX_JSON_DEPTH } from './canonical-json.ts'
import { anyJson, rulesOf } from './event-builder.testing.ts'
import { findNonCanonical } from './find-non-canonical.ts'
import { readJson } from './read-json.ts'
import { roomVersions } from './room-versions.ts'

const find = (text: string, version: string) => {
  const result = readJson(text)
  assert.ok(result.ok)
  return findNonCanonical(result.value, rulesOf(version))
}
const isStrict = (version: string): boolean => Number(version) >= 6

test('from version 6 numbers are plain integers within ±(2^53 - 1)', () => {
  for (const version of roomVersions) {
    for (const source of ['1.0', '0.5', '-0', '1e10', '9007199254740992', '-9007199254740992']) {
      const found = find(`{"content":{"a.b":[0,${source}]}}`, version)
      assert.equal(found?.path, isStrict(version) ? 'content.a\\.b.1' : undefined, `${source} in version ${version}`)
    }
    for (const source of ['0', '-1', '9007199254740991', '-9007199254740991']) {
      assert.equal(find(`{"content":[${source}]}`, version), undefined)
    }
  }
})

test('numbers that were not read losslessly are judged by their value', () => {
  for (const value of [0.5, -0, 2 ** 53, 1e300]) {
    assert.notEqual(findNonCanonical({ value }, rulesOf('6')), undefined)
    assert.equal(findNonCanonical({ value }, rulesOf('5')), undefined)
  }
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const version of roomVersions) assert.notEqual(findNonCanonical([value], rulesOf(version)), undefined)
  }
})

test('no version allows a lone surrogate, as key or as value', () => {
  for (const version of roomVersions) {
    assert.deepEqual(find('{"a":["\\ud800"]}', version)?.path, 'a.0')
    assert.deepEqual(find('{"a":{"\\udc00x":1}}', version)?.path, 'a.\ufffdx')
    assert.equal(find('{"\\ud83d\\ude00":"\\ud83d\\ude00"}', version), undefined)
  }
})

test('what is too deep, or no JSON at all, is found and not followed', () => {
  const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000))
  for (const version of roomVersions) {
    assert.match(findNonCanonical(deep, rulesOf(version))?.reason ?? '', /levels deep/)
    assert.match(findNonCanonical({ a: undefined }, rulesOf(version))?.reason ?? '', /undefined/)
  }
})

test('nesting is allowed up to the limit, of lists and of objects', () => {
  const nested = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
    let value: unknown = true
    for (let i = 0; i < depth; i++) value = wrap(value)
    return value
  }
  for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => ({ a: inner })]) {
    assert.equal(findNonCanonical(nested(MAX_JSON_DEPTH, wrap), rulesOf('12')), undefined)
    assert.match(findNonCanonical(nested(MAX_JSON_DEPTH + 1, wrap), rulesOf('12'))?.reason ?? '', /levels deep/)
  }
})

test('JSON without unusual numbers is allowed in every version', () => {
  const plain = anyJson.filter((value) => !/\d[.eE]|\d{16}/.test(JSON.stringify(value)))
  fc.assert(
    fc.property(plain, fc.constantFrom(...roomVersions), (value, version) => {
      assert.equal(find(JSON.stringify(value), version), undefined)
    }),
  )
})
