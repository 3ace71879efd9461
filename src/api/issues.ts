import type * as z from 'zod'
import { badJson, invalidParam, type MatrixError, missingParam } from '#protocol/errors.ts'

/** The Matrix error for what a schema found wrong with a request: absent, of a wrong type, or out of range. The first finding speaks. */
export const errorOfIssues = (issues: readonly z.core.$ZodIssue[], input: unknown): MatrixError => {
  const issue = mostTelling(issues)
  const where = issue.path.map(String).join('.')
  const subject = where === '' ? 'the request' : `'${where}'`
  if (issue.code === 'invalid_type' && valueAt(input, issue.path) === undefined) {
    return missingParam(`${subject} is missing: expected ${issue.expected}`)
  }
  const sentence = `${subject}: ${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`
  return issue.code === 'invalid_type' || issue.code === 'invalid_union' ? badJson(sentence) : invalidParam(sentence)
}

/** Of a union's findings, the first alternative's say more than that none fits. */
function mostTelling(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  const [issue] = issues
  if (issue === undefined) throw new Error('a schema refused without saying why')
  return issue
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<PropertyKey, unknown>)[key]
  }
  return value
}
