import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { errcodes, isErrcode } from '#protocol/errcodes.ts'

/** Every error code that the specification names, with the APIs whose documents do. Made by tools/spec-errcodes.ts. */
const specified = JSON.parse(readFileSync(new URL('spec-errcodes.json', import.meta.url), 'utf8')) as Record<
  string,
  readonly string[]
>
/** Stands in an example of what an error looks like. */
const EXAMPLES = ['M_EXAMPLE_ERROR']

test('every error code of the specification is known, and no other', () => {
  const names = Object.keys(specified).filter((code) => !EXAMPLES.includes(code))
  assert.deepEqual(Object.keys(errcodes).toSorted(), names.toSorted())
  assert.equal(isErrcode('M_EXAMPLE_ERROR'), false)
})

test('a code that only identity servers give is linked to their specification', () => {
  for (const [code, { spec }] of Object.entries(errcodes)) {
    const apis = specified[code] ?? []
    if (apis.length === 1 && apis[0] === 'identity') assert.match(spec, /\/identity-service-api\//, code)
    if (spec.includes('/identity-service-api/')) assert.ok(apis.includes('identity'), `${code} is named by ${apis}`)
    if (spec.includes('/client-server-api/')) assert.ok(apis.includes('client-server'), `${code} is named by ${apis}`)
  }
})

test('a status that is an error goes with every code', () => {
  for (const [code, { status }] of Object.entries(errcodes)) assert.ok(status >= 400 && status < 600, code)
})
