import { isObject, type Json } from '#util/json.ts'

/** The kinds of JSON values, as the specification's schemas name them. */
export type JsonType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null'

/** What the specification's schema says of a value: its types, fields and which must be there. Says nothing of what is left out. */
export type Shape = {
  readonly type?: JsonType | readonly JsonType[]
  readonly enum?: readonly string[]
  readonly fields?: Readonly<Record<string, Shape>>
  readonly required?: readonly string[]
  /** The values of fields that have no name of their own. */
  readonly values?: Shape
  readonly items?: Shape
  readonly oneOf?: readonly Shape[]
}

/** The types a shape allows; none: any. */
export const typesOf = ({ type }: Shape): readonly JsonType[] =>
  type === undefined ? [] : typeof type === 'string' ? [type] : type

/** What `value` violates of `shape`, as sentences that start with the path. */
export function violationsOf(shape: Shape, value: unknown, path = 'the answer'): string[] {
  const types = typesOf(shape)
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) {
    return [`${path} should be ${types.join(' or ')}, not ${describe(value)}`]
  }
  if (shape.enum !== undefined && typeof value === 'string' && !shape.enum.includes(value)) {
    return [`${path} should be one of ${shape.enum.join(', ')}, not ${value}`]
  }
  const found: string[] = []
  if (isObject(value)) found.push(...violationsOfFields(shape, value, path))
  if (Array.isArray(value) && shape.items !== undefined) {
    const { items } = shape
    found.push(...value.flatMap((entry, index) => violationsOf(items, entry, `${path}[${index}]`)))
  }
  if (shape.oneOf !== undefined) {
    const tries = shape.oneOf.map((alternative) => violationsOf(alternative, value, path))
    if (tries.every((violations) => violations.length > 0)) {
      found.push(`${path} fits none of ${tries.length} alternatives: ${tries[0]?.[0]}`)
    }
  }
  return found
}

function violationsOfFields(shape: Shape, value: Readonly<Record<string, Json>>, path: string): string[] {
  const found = (shape.required ?? [])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${path} lacks ${name}`)
  for (const [name, entry] of Object.entries(value)) {
    const expected = Object.hasOwn(shape.fields ?? {}, name) ? shape.fields?.[name] : shape.values
    if (expected !== undefined) found.push(...violationsOf(expected, entry, `${path}.${name}`))
  }
  return found
}

function isOfType(value: unknown, type: JsonType): boolean {
  switch (type) {
    case 'object':
      return isObject(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isInteger(value)
    case 'null':
      return value === null
    default:
      return typeof value === type
  }
}

const describe = (value: unknown): string =>
  value === undefined ? 'absent' : value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value
