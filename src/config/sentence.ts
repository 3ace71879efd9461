import type * as z from 'zod'
import { nearest } from '#util/nearest.ts'

/** What is wrong with a value, as a sentence. Texts are not repeated in it unless they are words of a fixed set: they may be secret. */
export function sentence(issue: z.core.$ZodRawIssue): string {
  if (issue.input === undefined) return 'This is required.'
  switch (issue.code) {
    case 'invalid_type':
      return `Expected ${NAMES[issue.expected] ?? issue.expected}, and got ${kindOf(issue.input)}.`
    case 'invalid_value':
      return oneOfThese(issue.values.map(String), issue.input)
    case 'too_small':
      return issue.origin === 'string'
        ? 'This must not be empty.'
        : `Expected at least ${issue.minimum}, and got ${describe(issue.input)}.`
    case 'too_big':
      return `Expected at most ${issue.maximum}, and got ${describe(issue.input)}.`
    default:
      return 'This value cannot be used here.'
  }
}

/** ` Did you mean …?`, where one of the candidates is near; otherwise nothing. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const meant = nearest(word, candidates)
  return meant === undefined ? '' : ` Did you mean ${meant}?`
}

/** A value as it is repeated in an error. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `"${value.length > 40 ? `${value.slice(0, 40)}…` : value}"`
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : kindOf(value)
}

function oneOfThese(words: readonly string[], got: unknown): string {
  const hint = typeof got === 'string' ? didYouMean(got, words) : ''
  return `Expected one of ${words.join(', ')}, and got ${describe(got)}.${hint}`
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a set of keys',
  record: 'a set of keys',
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'boolean') return String(value)
  return NAMES[typeof value] ?? typeof value
}
