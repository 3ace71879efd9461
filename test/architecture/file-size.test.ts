import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesOf, textOf } from './repository.ts'

/** Over so many lines a file says at its top why; over so many it must be divided. */
const MUST_SAY_WHY = 300
const MUST_BE_DIVIDED = 500

const lineCount = (text: string): number => text.split('\n').length - 1

test('a long file says at its top why it is long, and none is longer than anybody reads', () => {
  for (const path of filesOf('{src,test,tools}/**/*.ts')) {
    const text = textOf(path)
    const lines = lineCount(text)
    assert.ok(lines <= MUST_BE_DIVIDED, `${path} has ${lines} lines: divide it`)
    if (lines <= MUST_SAY_WHY) continue
    assert.match(
      text.slice(0, 400),
      /^\/\/ Over \d+ lines: ./,
      `${path} has ${lines} lines: begin it with "// Over 300 lines: <why>"`,
    )
  }
})

test('the migrations, which are tables, are none too long either', () => {
  for (const path of filesOf('src/storage/migrations/*.sql')) {
    assert.ok(lineCount(textOf(path)) <= MUST_BE_DIVIDED, `${path} has too many lines`)
  }
})
