import * as z from 'zod'
import { jsonObject } from '#api/schema.ts'
import { get, isObject, type Json, type JsonObject } from '#util/json.ts'
import { type JsonType, type Shape, typesOf } from './shape.ts'

/** What one of our schemas takes, as a shape. `undefined` where it takes no JSON at all. */
export function shapeOfSchema(schema: z.ZodType): Shape | undefined {
  if (schema instanceof z.ZodNever) return undefined
  const json = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    reused: 'inline',
    override: ({ zodSchema, jsonSchema }) => {
      if (Object.is(zodSchema, jsonObject)) jsonSchema.type = 'object'
    },
  })
  return fromJsonSchema(json as JsonObject)
}

function fromJsonSchema(schema: Json | undefined): Shape {
  if (!isObject(schema)) return {}
  const alternatives = schema['anyOf']
  if (Array.isArray(alternatives)) return fromAlternatives(alternatives)
  const type = schema['type'] as JsonType | undefined
  const fields = get(schema, 'properties')
  const values = get(schema, 'additionalProperties')
  const constants = 'const' in schema ? [schema['const']] : schema['enum']
  return {
    ...(type === undefined ? {} : { type }),
    ...(Array.isArray(constants) ? { enum: constants as string[] } : {}),
    ...(isObject(fields)
      ? { fields: Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, fromJsonSchema(field)])) }
      : {}),
    ...(Array.isArray(schema['required']) ? { required: schema['required'] as string[] } : {}),
    ...(isObject(values) && Object.keys(values).length > 0 ? { values: fromJsonSchema(values) } : {}),
    ...(isObject(schema['items']) ? { items: fromJsonSchema(schema['items']) } : {}),
  }
}

/** What may be null is told as what it is otherwise: in requests, null stands for absent. Alternatives that are plain types are one shape. */
function fromAlternatives(alternatives: readonly Json[]): Shape {
  const shapes = alternatives.map(fromJsonSchema)
  const others = shapes.filter(({ type }) => type !== 'null')
  if (others.length === 1) return others[0] ?? {}
  const isPlain = shapes.every((shape) => Object.keys(shape).length === 1 && shape.type !== undefined)
  return isPlain ? { type: shapes.flatMap(typesOf) } : { oneOf: shapes }
}

/** How two shapes are held against each other. */
type Terms = {
  /** Ours must ask for all that the specification requires; of requests, also for nothing more. */
  readonly of: 'request' | 'response'
  readonly path: string
}

/** Where `ours` says something else than the specification's `fact`, as sentences. */
export function differences(fact: Shape, ours: Shape, { of, path }: Terms): string[] {
  if (ours.oneOf !== undefined) return ofAlternatives(fact, ours.oneOf, { of, path })
  const expected = typesOf(fact).toSorted().join(' or ')
  const isNullFree = of === 'request' && !typesOf(fact).includes('null')
  const found = typesOf(ours)
    .filter((type) => !isNullFree || type !== 'null')
    .toSorted()
    .join(' or ')
  if (expected !== '' && expected !== found) return [`${path} is ${expected}, ours is ${found || 'anything'}`]
  const result = ofFields(fact, ours, { of, path })
  if (fact.values !== undefined && hasShape(fact.values)) {
    const inside = ours.values ?? ours.fields?.['*']
    if (inside !== undefined) result.push(...differences(fact.values, inside, { of, path: `${path}.*` }))
    else if (of === 'response') result.push(`${path} has values of one shape, ours have any`)
  }
  if (fact.items !== undefined && ours.items !== undefined) {
    result.push(...differences(fact.items, ours.items, { of, path: `${path}[]` }))
  }
  return result
}

const hasShape = (shape: Shape): boolean => Object.keys(shape).length > 0

function ofAlternatives(fact: Shape, ours: readonly Shape[], terms: Terms): string[] {
  const facts = fact.oneOf ?? [fact]
  return facts.flatMap((one) => {
    const tries = ours.map((alternative) => differences(one, alternative, terms))
    return tries.toSorted((a, b) => a.length - b.length)[0] ?? []
  })
}

function ofFields(fact: Shape, ours: Shape, { of, path }: Terms): string[] {
  // An object that is handed on whole: a service judges it.
  if (of === 'request' && ours.fields === undefined) return []
  const names = Object.keys(fact.fields ?? {})
  const result = names
    .filter((name) => !Object.hasOwn(ours.fields ?? {}, name))
    .map((name) => `${path}.${name} is not in ours`)
  const required = new Set(ours.required)
  const mustHave = fact.required ?? []
  result.push(...mustHave.filter((name) => !required.has(name)).map((name) => `${path}.${name} is optional in ours`))
  if (of === 'request') {
    const more = [...required].filter((name) => !mustHave.includes(name))
    result.push(...more.map((name) => `${path}.${name} is required in ours only`))
  }
  for (const name of names) {
    const field = ours.fields?.[name]
    const expected = fact.fields?.[name]
    if (field !== undefined && expected !== undefined) {
      result.push(...differences(expected, field, { of, path: `${path}.${name}` }))
    }
  }
  return result
}
