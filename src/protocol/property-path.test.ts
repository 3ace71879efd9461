import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyJson } from './event-builder.testing.ts'
import { followPath, formatPropertyPath, parsePropertyPath } from './property-path.ts'

const cases: readonly (readonly [string, string, readonly string[]])[] = [
  ['dots separate names', 'content.body', ['content', 'body']],
  ['an escaped dot belongs to the name', 'content.m\\.relates_to.rel_type', ['content', 'm.relates_to', 'rel_type']],
  ['an escaped backslash is one backslash', 'content.m\\\\foo', ['content', 'm\\foo']],
  ['any other backslash stands for itself', 'a\\x.b', ['a\\x', 'b']],
  ['a backslash at the end stands for itself', 'a\\', ['a\\']],
  ['an escaped backslash does not escape the dot behind it', 'a\\\\.b', ['a\\', 'b']],
  ['the empty text is one empty name', '', ['']],
]
for (const [name, text, path] of cases) test(name, () => assert.deepEqual(parsePropertyPath(text), path))

test('a formatted path reads back as itself', () => {
  const names = fc.array(fc.string({ unit: fc.constantFrom('a', '.', '\\'), maxLength: 5 }), { minLength: 1 })
  fc.assert(fc.property(names, (path) => assert.deepEqual(parsePropertyPath(formatPropertyPath(path)), path)))
})
test('a path leads through objects only', () => {
  assert.equal(followPath({ a: { b: 1 } }, ['a', 'b']), 1)
  assert.equal(followPath({ a: [1] }, ['a', '0']), undefined)
  assert.equal(followPath({ a: 'text' }, ['a', 'length']), undefined)
  assert.equal(followPath({}, ['constructor', 'name']), undefined)
  assert.equal(followPath(JSON.parse('{"__proto__":{"a":1}}'), ['__proto__', 'a']), 1)
})
test('following never throws', () => {
  fc.assert(fc.property(anyJson, fc.array(fc.string()), (value, path) => void followPath(value, path)))
})
