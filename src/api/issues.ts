import type * as z from 'zod'
import { badJson, invalidParam, type MatrixError, missingParam, notJson } from '#protocol/errors.ts'

/** Which part of a request a schema was held against. */
export type RequestPart = 'path' | 'query' | 'body'

type Issue = z.core.$ZodIssue

/** The longest path of a field that is told: its names come from outside. */
const MAX_PATH = 200

/**
 * The Matrix error for what a schema found wrong with a request. No body at all: `M_NOT_JSON`. Absent: `M_MISSING_PARAM`. Of a wrong type:
 * `M_BAD_JSON`, which only a body can be. Out of range: `M_INVALID_PARAM`. The first finding speaks.
 */
export const errorOfIssues = (issues: readonly Issue[], input: unknown, part: RequestPart): MatrixError => {
  const { issue, path } = mostTelling(issues)
  const value = valueAt(input, path)
  const where = path.map(String).join('.')
  const subject = where === '' ? `the ${part}` : `'${where.slice(0, MAX_PATH)}'`
  if (value === undefined) {
    if (part === 'body' && path.length === 0) return notJson('the request has no body: expected JSON')
    return missingParam(`${subject} is missing: expected ${expectedBy(issue)}`)
  }
  const sentence = `${subject}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`
  return part === 'body' && isWrongType(issue, value) ? badJson(sentence) : invalidParam(sentence)
}

/** A finding and where it is: in a union, that counts from the union on. */
type Finding = { readonly issue: Issue; readonly path: readonly PropertyKey[] }

function mostTelling(issues: readonly Issue[]): Finding {
  const [issue] = issues
  if (issue === undefined) throw new Error('a schema refused without saying why')
  const { path } = issue
  if (issue.code !== 'invalid_union') return { issue, path }
  const inside = deepest(issue.errors)
  if (inside === undefined) return { issue, path }
  return { issue: inside.issue, path: [...path, ...inside.path] }
}

/** What the alternative says that got furthest into the value; none where the value has none of the alternatives' types. */
function deepest(alternatives: readonly (readonly Issue[])[]): Finding | undefined {
  const [best] = alternatives
    .filter((issues) => issues.length > 0)
    .map((issues) => ({ ...mostTelling(issues), issues: issues.length }))
    .toSorted((a, b) => b.path.length - a.path.length || a.issues - b.issues)
  return best === undefined || best.path.length === 0 ? undefined : best
}

const expectedBy = (issue: Issue): string => {
  if (issue.code === 'invalid_type') return issue.expected
  if (issue.code === 'invalid_value') return `one of ${issue.values.map(String).join(', ')}`
  if (issue.code === 'custom' && typeof issue.params?.['expected'] === 'string') return issue.params['expected']
  return 'it to be there'
}

/** Schemas of ours that check types by themselves say which one they expect; all others check the content of what has the right type. */
function isWrongType(issue: Issue, value: unknown): boolean {
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_union':
      return true
    case 'invalid_value':
      return issue.values.every((allowed) => typeof allowed !== typeof value)
    case 'custom':
      return issue.params?.['expected'] !== undefined
    default:
      return false
  }
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}
