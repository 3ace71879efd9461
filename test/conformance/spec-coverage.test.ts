import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as z from 'zod'
import { endpoints } from '#api/all.ts'
import type { Endpoint } from '#api/endpoint.ts'
import { endpointOf, moduleOf, specified } from './declared.ts'
import { operationOf, operations } from './facts.ts'
import { differences, shapeOfSchema } from './schema-shape.ts'
import type { Shape } from './shape.ts'

// Where we say something else than the specification's API description, with the reason. Whoever repairs one takes it out: a difference that
// is none fails, too.
const KNOWN: readonly string[] = [
  // A server may ask that one be logged in to see profiles (`require_auth_for_profile_requests`), so their endpoints look at tokens.
  'getUserProfile: auth is none, ours is accessTokenOptional',
  'getProfileField: auth is none, ours is accessTokenOptional',
]

/** The differences that there are: one that is known but gone would hide a later mistake. */
const seen = new Set<string>()
const unexpected = (found: readonly string[]): readonly string[] =>
  found.filter((difference) => {
    seen.add(difference)
    return !KNOWN.includes(difference)
  })

const keysOf = (schema: z.ZodType | undefined): readonly string[] =>
  schema instanceof z.ZodObject ? Object.keys(schema.shape) : []

const placeholders = (path: string): readonly string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '')

const anchorOf = (method: string, path: string): string =>
  `#${method.toLowerCase()}${path.toLowerCase().replaceAll(/[^a-z0-9_-]/g, '')}`

describe('every endpoint', () => {
  for (const endpoint of specified) {
    const { api, id } = endpoint
    test(`${id} is what the specification says`, async () => {
      const operation = operationOf(id, api)
      assert(operation !== undefined, 'the specification has no such operation')
      const found: string[] = []
      for (const name of ['method', 'path', 'auth', 'rateLimit'] as const) {
        if (endpoint[name] !== operation[name]) {
          found.push(`${id}: ${name} is ${operation[name]}, ours is ${endpoint[name]}`)
        }
      }
      assert(endpoint.spec.endsWith(anchorOf(endpoint.method, endpoint.path)), 'the link leads elsewhere')
      const exported: Record<string, unknown> = await import(moduleOf(operation))
      assert(
        Object.values(exported).some((value) => (value as Endpoint).id === id),
        `it should be in ${moduleOf(operation)}`,
      )
      assert.deepEqual(unexpected(found), [])
    })

    test(`${id} takes what the specification says`, () => {
      const operation = operationOf(id, api)
      const found: string[] = []
      for (const [name, { required }] of Object.entries(operation?.query ?? {})) {
        if (!keysOf(endpoint.query).includes(name)) found.push(`${id}: ours has no query parameter ${name}`)
        else if (required !== isRequired(endpoint.query, name)) found.push(`${id}: whether ${name} is required`)
      }
      if (operation?.body !== undefined) {
        assert(endpoint.body !== undefined, 'the specification has a body')
        found.push(
          ...differences(operation.body, shapeOfSchema(endpoint.body) ?? {}, { of: 'request', path: `${id}: body` }),
        )
      } else if (operation?.bodyRequired === undefined) assert(endpoint.body === undefined, 'ours only has a body')
      assert.deepEqual(unexpected(found), [])
    })

    test(`${id} answers what the specification says`, () => {
      const operation = operationOf(id, api)
      const answers = Object.entries(operation?.responses ?? {}).filter(([status]) => status.startsWith('2'))
      assert(answers.length > 0)
      const ours = shapeOfSchema(endpoint.response)
      const found = answers.flatMap(([, fact]) => responseDifferences(id, fact, ours))
      assert.deepEqual(unexpected(found), [])
    })
  }

  for (const { id, path, alsoAt, params } of endpoints) {
    test(`${id} knows the parameters of its paths`, () => {
      assert.deepEqual(keysOf(params).toSorted(), placeholders(path).toSorted())
      for (const other of alsoAt) {
        const lacking = keysOf(params).filter((name) => !placeholders(other).includes(name))
        assert(
          lacking.every((name) => !isRequired(params, name)),
          `${other} lacks ${lacking.join(', ')}`,
        )
      }
    })
  }
})

test('no two endpoints have the same name, or the same path and method', () => {
  const names = endpoints.map(({ id }) => id)
  assert.deepEqual(names, [...new Set(names)])
  const routes = endpoints.flatMap(({ method, path, alsoAt }) =>
    [path, ...alsoAt].map((template) => `${method} ${template.replaceAll(/\{\w+\}/g, '{}')}`),
  )
  assert.deepEqual(routes, [...new Set(routes)])
})

test('operations that share a route share an endpoint', () => {
  const shared = operations.filter((operation) => {
    const endpoint = endpointOf(operation)
    return endpoint !== undefined && endpoint.id !== operation.id
  })
  assert.deepEqual(
    shared.map(({ id }) => id),
    ['inviteBy3PID'],
  )
})

test('every known difference is one', () => {
  assert.deepEqual(
    KNOWN.filter((difference) => !seen.has(difference)),
    [],
  )
})

function responseDifferences(id: string, fact: Shape | null, ours: Shape | undefined): readonly string[] {
  if (fact === null) return ours === undefined ? [] : [`${id}: the answer is no JSON`]
  if (ours === undefined) return [`${id}: the answer is JSON`]
  return differences(fact, ours, { of: 'response', path: `${id}: the answer` })
}

/** Whether a schema refuses an object because of the absence of `name`. */
function isRequired(schema: z.ZodType | undefined, name: string): boolean {
  if (!(schema instanceof z.ZodObject)) return false
  return !(schema.shape[name] as z.ZodType).safeParse(undefined).success
}
