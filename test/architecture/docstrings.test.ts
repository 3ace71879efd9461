import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesOf, textOf } from './repository.ts'

/** What begins an export. */
const EXPORT = /^export (?:declare )?(?:abstract )?(?:async )?(?:const|let|class|type|interface|function\*?) (\w+)/
/** The type of a row, beside the codec that it is taken from: the codec's docstring is for both. */
const TYPE_OF_CODEC = /^export type \w+ = \(typeof \w+\)\['out'\]$/

/** The exports of a file that have no docstring: `line: name`. Later signatures of an overloaded function share the first one's. */
function undocumented(text: string): readonly string[] {
  const lines = text.split('\n')
  const known = new Set<string>()
  return lines.flatMap((line, at) => {
    const name = EXPORT.exec(line)?.[1]
    if (name === undefined || TYPE_OF_CODEC.test(line)) return []
    if (lines[at - 1]?.trimEnd().endsWith('*/') === true) known.add(name)
    return known.has(name) ? [] : [`${at + 1}: ${name}`]
  })
}

test('every export says what it is', () => {
  const missing = filesOf('{src,test,tools}/**/*.ts')
    .filter((path) => !path.endsWith('.test.ts'))
    .flatMap((path) => undocumented(textOf(path)).map((one) => `${path}:${one}`))
  assert.deepEqual(missing, [])
})

test('an export without a docstring is found', () => {
  assert.deepEqual(undocumented('/** A thing. */\nexport const a = 1\n\nexport const b = 2\n'), ['4: b'])
  const overloaded = '/** Twice. */\nexport function f(a: string): string\nexport function f(a: number): number\n'
  assert.deepEqual(undocumented(overloaded), [])
  assert.deepEqual(undocumented("export type Row = (typeof ROW)['out']\nexport type Other = number\n"), ['2: Other'])
})
