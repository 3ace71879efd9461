import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { compileGlob, compileWordGlob, containsWord, foldCase } from './glob.ts'

describe('a glob that must match a whole text', () => {
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    ['a pattern without wildcards matches itself', 'evil.com', 'evil.com', true],
    ['a pattern without wildcards matches nothing longer', 'evil.com', 'evil.com.', false],
    ['a star matches nothing at all', 'a*b', 'ab', true],
    ['a star matches many characters', '*.example.org', 'a.b.example.org', true],
    ['a star does not make the dot before a name optional', '*.example.org', 'example.org', false],
    ['a star alone matches the empty text', '*', '', true],
    ['several stars are one star', '**a***', 'xay', true],
    ['a question mark matches exactly one character', 'lunc?*', 'lunch plans', true],
    ['a question mark does not match nothing', 'lunc?*', 'lunc', false],
    ['a question mark matches a character outside the basic plane', 'a?b', 'a😀b', true],
    ['two question marks do not match one such character', 'a??b', 'a😀b', false],
    ['pieces may not overlap', 'ab*ba', 'aba', false],
    ['pieces stand in their order', '*b*a*', 'ab', false],
    ['the empty pattern matches the empty text only', '', 'a', false],
    ['regular expression syntax has no meaning', '(a|b)+[c]', '(a|b)+[c]', true],
    ['case counts unless folded', 'A', 'a', false],
  ]
  for (const [name, pattern, text, expected] of cases) {
    test(name, () => assert.equal(compileGlob(pattern)(text), expected))
  }
  test('a question mark is a plain character where only stars are known', () => {
    const match = compileGlob('m.?*', { hasQuestionMark: false })
    assert.equal(match('m.?x'), true)
    assert.equal(match('m.ax'), false)
  })
  test('every pattern agrees with a naive oracle', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', '😀', '.'), maxLength: 10 })
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '😀'), maxLength: 8 })
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        assert.equal(compileGlob(pattern)(text), naive([...pattern], [...text]))
      }),
      { numRuns: 2000 },
    )
  })
  test('a text made to make a matcher go back over its stars does not', () => {
    const pattern = `${'a*'.repeat(500)}b`
    assert.equal(compileGlob(pattern)('a'.repeat(60_000)), false)
    assert.equal(compileGlob(`${'a*?'.repeat(300)}b`)('a'.repeat(60_000)), false)
  })
})

describe('a glob that must match between word boundaries', () => {
  const cases: readonly (readonly [string, string, string, boolean])[] = [
    ['a word matches in a sentence', 'ex*ple', 'an example event.', true],
    ['a star may match nothing', 'ex*ple', 'exple', true],
    ['a star may span words', 'ex*ple', 'an exciting triple-whammy', true],
    ['a part of a word does not match', 'cake', 'pancakes', false],
    ['a later whole word is found after a part of one', 'cake', 'cakes and cake', true],
    ['an underscore belongs to a word', 'cake', 'my_cake', false],
    ['a letter beyond ASCII separates words', 'cake', 'écake', true],
    ['a star at the start opens the left side', '*cake', 'pancake', true],
    ['a star at the start leaves the right side', '*cake', 'pancakes', false],
    ['a star at the end opens the right side', 'cake*', 'cakes', true],
    ['a question mark matches a separator too', 'a?b', 'x a b', true],
    ['a question mark needs its boundaries', 'a?b', 'xa b', false],
    ['the end is sought behind the start', 'ab*b', 'ab', false],
    ['the mark before a name needs a boundary before it', '@room', 'hi@room', false],
    ['the mark before a name may start the text', '@room', '@room: hello', true],
    ['the empty pattern matches the empty text', '', '', true],
    ['the empty pattern does not match inside a word', '', 'word', false],
  ]
  for (const [name, pattern, text, expected] of cases) {
    test(name, () => assert.equal(compileWordGlob(pattern)(text), expected))
  }
  test('letters, digits and the underscore of ASCII make words, nothing else does', () => {
    for (let code = 0; code < 0x180; code++) {
      const character = String.fromCharCode(code)
      const isBoundary = !/^[A-Za-z0-9_]$/.test(character)
      for (const pattern of ['x', 'x?', '?x', '*x', 'x*']) {
        const text = `${character}x${character}`
        assert.equal(compileWordGlob(pattern)(text), naiveWord([...pattern], [...text]), `${pattern} in ${code}`)
      }
      assert.equal(containsWord(`${character}x`, 'x'), isBoundary, `before: ${code}`)
      assert.equal(containsWord(`x${character}`, 'x'), isBoundary, `after: ${code}`)
    }
  })
  test('every pattern agrees with a naive oracle', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '_', '😀'), maxLength: 9 })
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', ' '), maxLength: 6 })
    fc.assert(
      fc.property(patterns, texts, (pattern, text) => {
        assert.equal(compileWordGlob(pattern)(text), naiveWord([...pattern], [...text]))
      }),
      { numRuns: 3000 },
    )
  })
  test('a literal word is found whatever characters it has', () => {
    assert.equal(containsWord('hi a*b?', 'a*b'), true)
    assert.equal(containsWord('hi axb', 'a*b'), false)
    assert.equal(containsWord('hi alice', 'al'), false)
    assert.equal(containsWord('word', ''), false)
    assert.equal(containsWord('', ''), true)
  })
})

test('folding makes letters of either case the same', () => {
  assert.equal(foldCase('ÄBC'), foldCase('äbc'))
})

function naive(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return text.length === 0
  if (first === '*') return naive(rest, text) || (text.length > 0 && naive(pattern, text.slice(1)))
  const [character, ...others] = text
  return character !== undefined && (first === '?' || first === character) && naive(rest, others)
}

function naiveWord(pattern: readonly string[], text: readonly string[]): boolean {
  const isWord = (at: number): boolean => /^[A-Za-z0-9_]$/.test(text[at] ?? '')
  for (let from = 0; from <= text.length; from++) {
    if (from > 0 && isWord(from - 1)) continue
    for (let to = from; to <= text.length; to++) {
      if (to < text.length && isWord(to)) continue
      if (naive(pattern, text.slice(from, to))) return true
    }
  }
  return false
}
