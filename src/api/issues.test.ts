import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as z from 'zod'
import { readJson } from '#protocol/read-json.ts'
import { errorOfIssues, type RequestPart } from './issues.ts'
import { count, flag, jsonObject, optional, shortText, strings, userId } from './schema.ts'

const verdict = (schema: z.ZodType, input: unknown, part: RequestPart = 'body'): string => {
  const result = schema.safeParse(input)
  if (result.success) return 'fine'
  const { errcode, error } = errorOfIssues(result.error.issues, input, part)
  return `${errcode}: ${error}`
}

const body = z.looseObject({
  name: z.string(),
  user: userId.optional(),
  content: jsonObject.optional(),
  kind: z.enum(['near', 'far']).optional(),
  size: z.int().min(1).max(9).optional(),
  note: optional(shortText),
  keys: z.record(z.string(), z.union([z.string(), z.looseObject({ key: z.string(), n: z.int() })])).optional(),
})
const check = (fields: object) => verdict(body, { name: 'x', ...fields })

describe('a body', () => {
  test('that is not there at all is no JSON', () => {
    assert.match(verdict(body, undefined), /^M_NOT_JSON: the request has no body/)
  })

  test('that is no object is bad JSON', () => {
    assert.match(verdict(body, []), /^M_BAD_JSON: the body: .*expected object, received array/)
    assert.match(verdict(body, null), /^M_BAD_JSON/)
    assert.match(verdict(jsonObject, 'text'), /^M_BAD_JSON: the body: expected a JSON object/)
  })

  test('may not be a number that was kept as it was written', () => {
    const read = readJson('1.5')
    assert(read.ok)
    assert.match(verdict(jsonObject, read.value), /^M_BAD_JSON/)
  })

  test('lacks what must be there, whatever checks it', () => {
    assert.equal(verdict(body, {}), "M_MISSING_PARAM: 'name' is missing: expected string")
    assert.equal(verdict(z.looseObject({ c: jsonObject }), {}), "M_MISSING_PARAM: 'c' is missing: expected object")
    assert.equal(
      verdict(z.looseObject({ k: z.enum(['a', 'b']) }), {}),
      "M_MISSING_PARAM: 'k' is missing: expected one of a, b",
    )
    assert.match(verdict(z.looseObject({ u: z.union([z.string(), z.int()]) }), {}), /^M_MISSING_PARAM: 'u' is missing/)
    assert.equal(check({ keys: { a: { key: 'k' } } }), "M_MISSING_PARAM: 'keys.a.n' is missing: expected number")
  })

  test('with fields of a wrong type is bad JSON', () => {
    assert.match(check({ name: 3 }), /^M_BAD_JSON: 'name': .*expected string, received number/)
    assert.match(check({ user: 3 }), /^M_BAD_JSON/)
    assert.match(check({ content: [] }), /^M_BAD_JSON: 'content': expected a JSON object/)
    assert.match(check({ kind: 3 }), /^M_BAD_JSON/)
    assert.match(check({ size: '3' }), /^M_BAD_JSON/)
    assert.match(check({ size: 1.5 }), /^M_BAD_JSON/)
    assert.match(check({ note: 3 }), /^M_BAD_JSON/)
    assert.match(check({ keys: { a: 3 } }), /^M_BAD_JSON: 'keys.a'/)
    assert.match(check({ keys: { a: { key: 3 } } }), /^M_BAD_JSON: 'keys.a.key'/)
  })

  test('with fields out of range has an invalid parameter', () => {
    assert.match(check({ user: 'nobody' }), /^M_INVALID_PARAM: 'user': expected a user ID/)
    assert.match(check({ kind: 'middling' }), /^M_INVALID_PARAM: 'kind'/)
    assert.match(check({ size: 0 }), /^M_INVALID_PARAM: 'size'/)
    assert.match(check({ size: 10 }), /^M_INVALID_PARAM: 'size'/)
    assert.match(check({ note: 'é'.repeat(128) }), /^M_INVALID_PARAM: 'note': expected at most 255 bytes/)
  })

  test('may say null for what it does not know', () => {
    assert.equal(check({ note: null }), 'fine')
    assert.deepEqual(z.looseObject({ note: optional(shortText) }).parse({ note: null }), { note: undefined })
  })

  test('cannot make an error long by the names of its fields', () => {
    assert(check({ keys: { ['k'.repeat(9999)]: 3 } }).length < 400)
  })
})

describe('a union', () => {
  const invite = z.union([
    z.looseObject({ user_id: userId }),
    z.looseObject({ medium: z.string(), address: z.string() }),
  ])

  test('speaks through the alternative that got furthest, or has the least to say', () => {
    assert.match(verdict(invite, {}), /^M_MISSING_PARAM: 'user_id' is missing/)
    assert.match(verdict(invite, { user_id: 3 }), /^M_BAD_JSON: 'user_id'/)
    assert.match(verdict(invite, { user_id: 'me' }), /^M_INVALID_PARAM: 'user_id'/)
    assert.match(verdict(invite, 3), /^M_BAD_JSON: the body/)
  })
})

describe('a query', () => {
  const query = z.object({
    limit: count(100).optional(),
    full: flag.optional(),
    via: strings.optional(),
    dir: z.enum(['b', 'f']),
  })
  const asked = (fields: object) => verdict(query, { dir: 'b', ...fields }, 'query')

  test('lacks what must be there', () => {
    assert.equal(verdict(query, {}, 'query'), "M_MISSING_PARAM: 'dir' is missing: expected one of b, f")
  })

  test('is never bad JSON', () => {
    assert.match(asked({ limit: 'many' }), /^M_INVALID_PARAM: 'limit': expected a whole number/)
    assert.match(asked({ limit: '-1' }), /^M_INVALID_PARAM/)
    assert.match(asked({ limit: ['1', '2'] }), /^M_INVALID_PARAM/)
    assert.match(asked({ full: 'maybe' }), /^M_INVALID_PARAM: 'full': expected true or false/)
    assert.match(asked({ dir: 'x' }), /^M_INVALID_PARAM/)
    assert.match(asked({ via: Array.from({ length: 51 }, () => 'a') }), /^M_INVALID_PARAM: 'via'/)
  })

  test('may repeat what is a list', () => {
    assert.deepEqual(query.parse({ dir: 'f', via: 'a' }).via, ['a'])
    assert.deepEqual(query.parse({ dir: 'f', via: ['a', 'b'] }).via, ['a', 'b'])
    assert.equal(query.parse({ dir: 'f', limit: '1000' }).limit, 100)
  })
})
