import type { JsonType, Shape } from '#test/conformance/shape.ts'
import { get, type Json } from '#util/json.ts'
import type { Part, SpecDocuments } from './spec-document.ts'

/** How deep shapes go: below, anything is allowed. */
const MAX_DEPTH = 12

/** What a schema of the specification says, without its words. */
export function shapeOf(spec: SpecDocuments, schema: Part, depth = 0): Shape {
  const part = spec.follow(schema)
  if (depth > MAX_DEPTH) return {}
  const shape: Writable = {}
  const type = get(part.value, 'type')
  if (typeof type === 'string' || Array.isArray(type)) shape.type = type as JsonType
  const values = get(part.value, 'enum')
  if (Array.isArray(values) && values.every((value) => typeof value === 'string')) shape.enum = values
  const fields = spec.entries(spec.at(part, 'properties'))
  if (fields.length > 0) {
    const sorted = fields.toSorted(([a], [b]) => (a < b ? -1 : 1))
    shape.fields = Object.fromEntries(sorted.map(([name, field]) => [name, shapeOf(spec, field, depth + 1)]))
  }
  const required = get(part.value, 'required')
  if (Array.isArray(required)) shape.required = (required as string[]).toSorted()
  const unnamed = valuesOf(spec, part)
  if (unnamed !== undefined) shape.values = shapeOf(spec, unnamed, depth + 1)
  const items = spec.at(part, 'items')
  if (items !== undefined) shape.items = shapeOf(spec, items, depth + 1)
  const alternatives = [...spec.list(spec.at(part, 'oneOf')), ...spec.list(spec.at(part, 'anyOf'))]
  if (alternatives.length > 0) shape.oneOf = alternatives.map((one) => shapeOf(spec, one, depth + 1))
  return spec
    .list(spec.at(part, 'allOf'))
    .reduceRight<Shape>((all, one) => merged(shapeOf(spec, one, depth), all), shape)
}

type Writable = { -readonly [K in keyof Shape]: Shape[K] }

/** The schema of fields without names: of additional ones, or of those whose names have a form. */
function valuesOf(spec: SpecDocuments, part: Part): Part | undefined {
  const [byForm] = spec.entries(spec.at(part, 'patternProperties'))
  if (byForm !== undefined) return byForm[1]
  const additional = spec.at(part, 'additionalProperties')
  return additional !== undefined && typeof additional.value === 'object' ? additional : undefined
}

function merged(a: Shape, b: Shape): Shape {
  const shape: Writable = { ...a, ...b }
  if (a.fields !== undefined && b.fields !== undefined) {
    const names = [...new Set([...Object.keys(a.fields), ...Object.keys(b.fields)])].sort()
    shape.fields = Object.fromEntries(
      names.map((name) => [name, merged(a.fields?.[name] ?? {}, b.fields?.[name] ?? {})]),
    )
  }
  if (a.items !== undefined && b.items !== undefined) shape.items = merged(a.items, b.items)
  if (a.required !== undefined && b.required !== undefined) {
    shape.required = [...new Set([...a.required, ...b.required])].sort()
  }
  return shape
}

/** The example that a schema gives: its own, or one put together from its parts, or none. */
export function exampleOf(spec: SpecDocuments, schema: Part, depth = 0): Json | undefined {
  const part = spec.follow(schema)
  if (depth > MAX_DEPTH) return undefined
  const own = spec.resolvedAt(part, 'example')
  if (own !== undefined) return own
  const [first] = spec.list(spec.at(part, 'examples'))
  if (first !== undefined) return spec.resolved(first)
  const parts = spec.list(spec.at(part, 'allOf')).map((one) => exampleOf(spec, one, depth + 1))
  const fields = spec
    .entries(spec.at(part, 'properties'))
    .map(([name, field]) => [name, exampleOf(spec, field, depth + 1)] as const)
    .filter(([, example]) => example !== undefined)
  if (fields.length > 0) parts.push(Object.fromEntries(fields) as Json)
  const known = parts.filter((one) => one !== undefined)
  if (known.length > 0) return Object.assign({}, ...known) as Json
  const items = spec.at(part, 'items')
  const item = items === undefined ? undefined : exampleOf(spec, items, depth + 1)
  return item === undefined ? undefined : [item]
}
