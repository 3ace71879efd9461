import { readFileSync } from 'node:fs'
import type { Json } from '#util/json.ts'
import { type Shape, violationsOf } from './shape.ts'

/** A parameter of a query string. */
export type QueryFact = { readonly required: boolean; readonly shape: Shape }

/** What the specification's API description says of an operation. Made by tools/spec-facts.ts. */
export type Operation = {
  readonly api: string
  /** The file of the API description, without extension. */
  readonly file: string
  /** The `operationId`. */
  readonly id: string
  /** The part of the API it belongs to. */
  readonly tag: string
  readonly method: string
  readonly path: string
  readonly auth: string
  /** Whether it may answer 429. */
  readonly rateLimit: boolean
  readonly deprecated: boolean
  readonly query: Readonly<Record<string, QueryFact>>
  readonly bodyRequired?: boolean
  /** Absent where the body is no JSON. */
  readonly body?: Shape
  /** By status; null where the answer is no JSON. */
  readonly responses: Readonly<Record<string, Shape | null>>
}

/** The examples of the specification's API description (Apache-2.0) for an operation, as they are. Made by tools/spec-facts.ts. */
export type OperationExamples = {
  readonly api: string
  readonly id: string
  readonly requests: readonly Json[]
  readonly responses: readonly { readonly status: number; readonly body: Json }[]
}

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'))

/** Every operation of the specification. */
export const operations = read('spec-facts.json') as readonly Operation[]

/** The examples of the operations that have some. */
export const examples = read('spec-examples.json') as readonly OperationExamples[]

const byName = new Map(operations.map((operation) => [`${operation.api} ${operation.id}`, operation]))

/** The operation of an API by its `operationId`. */
export const operationOf = (id: string, api = 'client-server'): Operation | undefined => byName.get(`${api} ${id}`)

/**
 * What an answer violates of the specification: wrong types and absent fields, as sentences. Fields that the specification
 * does not know are no violation. A status that the operation does not name is checked as an error.
 */
export function checkResponse(operationId: string, status: number, body: unknown, api = 'client-server'): string[] {
  const operation = operationOf(operationId, api)
  if (operation === undefined) return [`the specification has no operation ${operationId}`]
  // A 401 may also be about the access token, at endpoints that name it only for interactive authentication.
  const isAboutToken = status === 401 && !Object.hasOwn(Object(body), 'flows')
  const shape = isAboutToken ? undefined : (interactionShape(status, operation) ?? operation.responses[String(status)])
  if (shape === null) return []
  if (shape !== undefined) return violationsOf(shape, body)
  return status >= 400 ? violationsOf(STANDARD_ERROR, body) : [`${operationId} should not answer ${status}`]
}

/** Of uploadCrossSigningKeys only the prose says that it asks for interactive authentication. It looks the same everywhere. */
const interactionShape = (status: number, { id }: Operation): Shape | null | undefined =>
  status === 401 && id === 'uploadCrossSigningKeys' ? operationOf('deleteDevice')?.responses['401'] : undefined

/** https://spec.matrix.org/v1.19/client-server-api/#standard-error-response */
const STANDARD_ERROR: Shape = {
  type: 'object',
  fields: { errcode: { type: 'string' }, error: { type: 'string' } },
  required: ['errcode'],
}
