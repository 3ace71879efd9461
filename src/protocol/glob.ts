/** Decides whether a text matches the pattern it was compiled from. */
export type GlobMatcher = (text: string) => boolean

/** How a pattern is read. Push rules and server ACLs use both wildcards; filters know only the star. */
export type GlobOptions = { readonly hasQuestionMark: boolean }

const bothWildcards: GlobOptions = { hasQuestionMark: true }

/**
 * Compiles a pattern that must match a whole text: `*` stands for any number of characters, `?` for exactly one (a
 * code point). Case counts; fold both with `foldCase` where it must not. Stars never backtrack: the time is bounded by the length
 * of the text, times that of the longest piece between stars only where the piece holds a `?`.
 * https://spec.matrix.org/v1.19/appendices/#glob-style-matching
 */
export function compileGlob(pattern: string, options: GlobOptions = bothWildcards): GlobMatcher {
  const hasOnes = options.hasQuestionMark && pattern.includes('?')
  if (!hasOnes && !pattern.includes('*')) return (text) => text === pattern
  if (/^\*+$/.test(pattern)) return () => true
  if (!hasOnes) return wholeMatcher(asStrings, pattern.split('*'))
  const pieces = pattern.split('*').map(toCodePoints)
  const match = wholeMatcher(asCodePoints, pieces)
  return (text) => match(toCodePoints(text))
}

/**
 * Compiles a pattern that must match somewhere in a text, from one word boundary to another: the start or end of the
 * text, or a character outside `[A-Za-z0-9_]`. Case counts as in `compileGlob`. https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export function compileWordGlob(pattern: string): GlobMatcher {
  if (/^\*+$/.test(pattern)) return () => true
  // The empty pattern, too: it must not find a place inside a character of two code units.
  if (pattern !== '' && !pattern.includes('?')) return wordMatcher(asStrings, pattern.split('*'))
  const match = wordMatcher(asCodePoints, pattern.split('*').map(toCodePoints))
  return (text) => match(toCodePoints(text))
}

/** Whether `word`, taken literally, stands in `text` from one word boundary to another. https://spec.matrix.org/v1.19/client-server-api/#conditions-1 */
export const containsWord = (text: string, word: string): boolean => findAligned(asStrings, text, word, 0) !== -1

/** Folds case for comparisons that ignore it. What counts as the same letter is left to homeservers. https://spec.matrix.org/v1.19/client-server-api/#conditions-1 */
export const foldCase = (text: string): string => text.toLowerCase()

/** What the matching needs to know of a text and of the pieces between stars, however they are stored. */
type Ops<Text> = {
  readonly length: (text: Text) => number
  /** The first place at or after `from` where the piece stands, or -1. */
  readonly find: (text: Text, piece: Text, from: number) => number
  readonly standsAt: (text: Text, piece: Text, at: number) => boolean
  readonly isWordAt: (text: Text, at: number) => boolean
}

const asStrings: Ops<string> = {
  length: (text) => text.length,
  find: (text, piece, from) => text.indexOf(piece, from),
  standsAt: (text, piece, at) => text.startsWith(piece, at),
  isWordAt: (text, at) => isWordCharacter(text.charCodeAt(at)),
}

const QUESTION_MARK = 63
/** Only for patterns with `?`, so that it takes one character even where that is two code units. */
const asCodePoints: Ops<readonly number[]> = {
  length: (text) => text.length,
  find: (text, piece, from) => {
    const last = text.length - piece.length
    for (let at = from; at <= last; at++) if (asCodePoints.standsAt(text, piece, at)) return at
    return -1
  },
  standsAt: (text, piece, at) => {
    if (at + piece.length > text.length) return false
    for (let i = 0; i < piece.length; i++) {
      if (piece[i] !== QUESTION_MARK && piece[i] !== text[at + i]) return false
    }
    return true
  },
  isWordAt: (text, at) => isWordCharacter(text[at] ?? Number.NaN),
}

const toCodePoints = (text: string): readonly number[] => Array.from(text, (character) => character.codePointAt(0) ?? 0)

function isWordCharacter(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95
}

/** The first piece stands at the start, the last at the end, and each between at its first chance: no other choice can do better. */
function wholeMatcher<Text>(ops: Ops<Text>, pieces: readonly Text[]): (text: Text) => boolean {
  const [first, ...others] = pieces
  const last = others.pop()
  if (first === undefined) return () => false
  if (last === undefined) return (text) => ops.length(text) === ops.length(first) && ops.standsAt(text, first, 0)
  return (text) => {
    if (!ops.standsAt(text, first, 0)) return false
    const from = findEach(ops, text, others, ops.length(first))
    const end = ops.length(text) - ops.length(last)
    return from !== -1 && end >= from && ops.standsAt(text, last, end)
  }
}

function wordMatcher<Text>(ops: Ops<Text>, pieces: readonly Text[]): (text: Text) => boolean {
  const [first, ...others] = pieces
  const last = others.pop()
  if (first === undefined) return () => false
  if (last === undefined) return (text) => findAligned(ops, text, first, 0) !== -1
  return (text) => {
    // A star at the start reaches back to the start of the text, one at the end to its end; both are boundaries.
    const start = ops.length(first) === 0 ? 0 : findAligned(ops, text, first, 0, 'start')
    if (start === -1) return false
    const from = findEach(ops, text, others, start + ops.length(first))
    if (from === -1) return false
    return ops.length(last) === 0 || findAligned(ops, text, last, from, 'end') !== -1
  }
}

/** Where the last of the pieces ends when each is taken at its first chance, or -1. */
function findEach<Text>(ops: Ops<Text>, text: Text, pieces: readonly Text[], from: number): number {
  let end = from
  for (const piece of pieces) {
    const at = ops.find(text, piece, end)
    if (at === -1) return -1
    end = at + ops.length(piece)
  }
  return end
}

/** The first place where the piece stands with the boundaries asked for, or -1. */
function findAligned<Text>(ops: Ops<Text>, text: Text, piece: Text, from: number, sides = 'both'): number {
  for (let at = ops.find(text, piece, from); at !== -1 && at <= ops.length(text); at = ops.find(text, piece, at + 1)) {
    const end = at + ops.length(piece)
    const startsWell = sides === 'end' || at === 0 || !ops.isWordAt(text, at - 1)
    const endsWell = sides === 'start' || end === ops.length(text) || !ops.isWordAt(text, end)
    if (startsWell && endsWell) return at
    if (at === ops.length(text)) return -1
  }
  return -1
}
