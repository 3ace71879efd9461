import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { configurationManual } from '#config/docs.ts'
import { statusReport } from '#test/conformance/status-report.ts'
import { keywordManual } from '#util/libpq/manual.ts'
import { errorManual } from './error-manual.ts'
import { textOf } from './repository.ts'

test('the manual of the configuration says what the declarations say', () => {
  const written = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  assert.equal(written, configurationManual(), 'docs/configuration.md is stale: run `node tools/config-docs.ts`')
})

test('the list of what is missing says what the declarations say', () => {
  const written = readFileSync(new URL('../../docs/are-we-there-yet.md', import.meta.url), 'utf8')
  assert.equal(written, statusReport(), 'docs/are-we-there-yet.md is stale: run `node tools/are-we-there-yet.ts`')
})

test('the table of connection parameters says what the declarations say', () => {
  const written = readFileSync(new URL('../../docs/postgres-keywords.md', import.meta.url), 'utf8')
  assert.equal(written, keywordManual(), 'docs/postgres-keywords.md is stale: run `node tools/keyword-docs.ts`')
})

test('the manual of error codes says what the declarations say', () => {
  assert.equal(textOf('docs/errors.md'), errorManual(), 'docs/errors.md is stale: run `node tools/error-docs.ts`')
})
