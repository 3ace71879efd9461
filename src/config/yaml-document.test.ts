import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { find, plain, readYaml } from './yaml-document.ts'

const value = (text: string) => {
  const { root, problems } = readYaml('a.yaml', text)
  assert.deepEqual(problems, [])
  return root === undefined ? undefined : plain(root)
}

test('booleans are those of PyYAML', () => {
  assert.deepEqual(value('[yes, No, on, OFF, true, False]'), [true, false, true, false, true, false])
  assert.deepEqual(value('[y, n, "yes", yEs]'), ['y', 'n', 'yes', 'yEs'])
})

test('numbers are those of PyYAML', () => {
  assert.deepEqual(value('[0660, 0x1F, 1_000, 1:30, 0.5, "5"]'), [432, 31, 1000, 90, 0.5, '5'])
})

test('dates stay text', () => {
  assert.deepEqual(value('a: 2026-07-24'), { a: '2026-07-24' })
})

test('anchors and merge keys are followed', () => {
  assert.deepEqual(value('a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\nc: *a'), {
    a: { x: 1, y: 2 },
    b: { x: 1, y: 3 },
    c: { x: 1, y: 2 },
  })
})

test('a value knows where it and its key stand', () => {
  const { root } = readYaml('a.yaml', 'one: 1\ntwo:\n  - three: x\n')
  assert.ok(root)
  const three = find(root, ['two', 0, 'three'])
  assert.deepEqual(three.place, { file: 'a.yaml', line: 3, column: 12 })
  assert.deepEqual(three.keyPlace, { file: 'a.yaml', line: 3, column: 5 })
  assert.equal(find(root, ['two', 7, 'x']).keyPlace?.line, 2)
})

test('all errors of a file are told, with their places', () => {
  const { problems } = readYaml('a.yaml', 'a: !!python/tuple [1]\nb: ]\n')
  assert.deepEqual(
    problems.map(({ place }) => place.line),
    [2, 1],
  )
})

test('a key that stands twice counts once, the last time, and is told', () => {
  const { root, oddities } = readYaml('a.yaml', 'a: 1\na: 2\n')
  assert.deepEqual(root && plain(root), { a: 2 })
  assert.deepEqual(oddities, [
    { place: { file: 'a.yaml', line: 2, column: 1 }, sentence: 'a stands twice; the last counts.' },
  ])
})

test('a file that unfolds without end is refused', () => {
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
  for (let i = 1; i < 9; i++)
    bomb.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    )
  assert.equal(readYaml('a.yaml', bomb.join('\n')).problems.length, 1)
  assert.equal(readYaml('a.yaml', 'a: &a [*a]').problems.length, 1)
  assert.equal(readYaml('a.yaml', '['.repeat(100_000)).root, undefined)
})

test('no text makes the reader throw', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'a: ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '<<: ',
      '!!set ',
      '? ',
      '#',
      '"',
      "'",
      '|',
      '>',
      '---',
      '\t',
      '1',
    ),
    fc.string({ maxLength: 4 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      readYaml('a.yaml', pieces.join(''))
    }),
  )
})
