import { RawNumber } from '#protocol/raw-number.ts'
import type { Json, JsonObject } from '#util/json.ts'

/** The deepest nesting of arrays and objects that is read. Deeper values are still printed, without recursion. */
export const MAX_JSON_DEPTH = 500

/**
 * The canonical JSON of a value: keys sorted by code point, no insignificant space, the shortest escapes. Defined for
 * every value: a `RawNumber` is printed as it was written, except that a safe integer written as `-0` or with an
 * exponent loses that, and a lone surrogate is printed as an escape. Properties that are `undefined` are left out.
 * https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
export const canonicalJson = (value: Json): string => print(value, NOTHING)

/** The canonical JSON of an object as if it had none of the properties `omitted` (at its top only). https://spec.matrix.org/v1.19/appendices/#signing-details */
export const canonicalJsonWithout = (value: JsonObject, omitted: readonly string[]): string => print(value, omitted)

/** The properties of an object whose keys are ASCII, each with its key as it stands in canonical JSON, by key. */
export const canonicalMembers = (value: JsonObject): Map<string, string> => {
  const members = new Map<string, string>()
  for (const [key, item] of Object.entries(value)) if (item !== undefined) members.set(key, canonicalMember(key, item))
  return members
}

/** A property as it stands in canonical JSON. */
export const canonicalMember = (key: string, value: Json): string => `${JSON.stringify(key)}:${canonicalJson(value)}`

/** The canonical JSON of the object that has these properties. */
export const joinMembers = (members: ReadonlyMap<string, string>): string =>
  `{${[...members.keys()]
    .sort()
    .map((key) => members.get(key))
    .join(',')}}`

const NOTHING: readonly string[] = []

/*
 * Most values need only their keys sorted, and the engine prints faster than anything written in JavaScript. So they
 * are copied with sorted keys and handed over; what a copy cannot hold is printed the careful way.
 */
function print(value: unknown, omitted: readonly string[]): string {
  if (typeof value !== 'object' || value === null) return printScalar(value)
  const sorted = sortedCopy(value, 0, omitted)
  if (sorted === IRREGULAR) return printCarefully(value, omitted)
  const text = JSON.stringify(sorted)
  return SURROGATE.test(text) && hasSurrogateKey(sorted) ? printCarefully(value, omitted) : text
}

/** Stands for what a copy cannot hold in sorted order: array indices and `__proto__` as keys, a `RawNumber`, great depth. */
const IRREGULAR = Symbol('irregular')
const SURROGATE = /[\ud800-\udfff]/

function sortedCopy(value: object, depth: number, omitted: readonly string[]): unknown {
  if (depth >= MAX_JSON_DEPTH || value instanceof RawNumber) return IRREGULAR
  if (Array.isArray(value)) return sortedItems(value, depth)
  const copy: Record<string, unknown> = {}
  for (const key of sortKeys(Object.keys(value))) {
    if (isIrregularKey(key)) return IRREGULAR
    if (omitted.length > 0 && omitted.includes(key)) continue
    const item = printable(value[key as keyof typeof value], depth)
    if (item === IRREGULAR) return IRREGULAR
    copy[key] = item
  }
  return copy
}

function sortedItems(value: readonly unknown[], depth: number): unknown {
  const copy: unknown[] = []
  for (const each of value) {
    const item = printable(each, depth)
    if (item === IRREGULAR) return IRREGULAR
    copy.push(item)
  }
  return copy
}

const printable = (value: unknown, depth: number): unknown =>
  typeof value === 'object' && value !== null ? sortedCopy(value, depth + 1, NOTHING) : value

/** Keys that begin with a digit may be array indices, which come before all other keys of an object. */
const isIrregularKey = (key: string): boolean => {
  const first = key.charCodeAt(0)
  return (first >= 0x30 && first <= 0x39) || key === '__proto__'
}

/** Sorts by UTF-16 units, in place; events have few keys, often in order already, where insertion is fastest. */
function sortKeys(keys: string[]): string[] {
  if (keys.length > 24) return keys.sort()
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string
    let j = i - 1
    for (; j >= 0 && (keys[j] as string) > key; j--) keys[j + 1] = keys[j] as string
    keys[j + 1] = key
  }
  return keys
}

/** Only keys with characters outside the basic plane sort otherwise by code point than by UTF-16 unit. */
function hasSurrogateKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return value.some(hasSurrogateKey)
  for (const key of Object.keys(value)) {
    if (SURROGATE.test(key)) return true
    const item: unknown = value[key as keyof typeof value]
    if (typeof item === 'object' && hasSurrogateKey(item)) return true
  }
  return false
}

function compareByCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const difference = rankOf(a.charCodeAt(i)) - rankOf(b.charCodeAt(i))
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** UTF-16 units in the order of the code points they begin: surrogates after the rest of the basic plane. */
const rankOf = (unit: number): number => {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** A piece of text between values that are still to be printed. */
class Text {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}
const COMMA = new Text(',')

function printCarefully(value: unknown, omitted: readonly string[]): string {
  const parts: string[] = []
  // Last in, first out: what stands first in the text is pushed last.
  const pending: unknown[] = [value]
  let skipped = omitted
  while (pending.length > 0) {
    const next = pending.pop()
    if (next instanceof Text) parts.push(next.text)
    else if (Array.isArray(next)) pushItems(pending, next)
    else if (typeof next !== 'object' || next === null) parts.push(printScalar(next))
    else if (next instanceof RawNumber) parts.push(printRawNumber(next.source))
    else pushMembers(pending, next, skipped)
    skipped = NOTHING
  }
  return parts.join('')
}

function pushItems(pending: unknown[], items: readonly unknown[]): void {
  pending.push(new Text(']'))
  for (let i = items.length - 1; i >= 0; i--) {
    pending.push(items[i])
    if (i > 0) pending.push(COMMA)
  }
  pending.push(new Text('['))
}

function pushMembers(pending: unknown[], object: object, omitted: readonly string[]): void {
  const members = new Map<string, unknown>(Object.entries(object))
  const keys = [...members.keys()].filter((key) => members.get(key) !== undefined && !omitted.includes(key))
  keys.sort(compareByCodePoint)
  pending.push(new Text('}'))
  for (let i = keys.length - 1; i >= 0; i--) {
    const key = keys[i] as string
    pending.push(members.get(key), new Text(`${i > 0 ? ',' : ''}${JSON.stringify(key)}:`))
  }
  pending.push(new Text('{'))
}

/** What is no JSON is printed as `null`. */
const printScalar = (value: unknown): string => {
  const isJson = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return isJson ? JSON.stringify(value) : 'null'
}

/** Doubles that need an exponent in JavaScript and Python are no safe integers, so what those wrote stays as it is. */
function printRawNumber(source: string): string {
  const isInteger = /^-?0$|[eE]/.test(source)
  return isInteger && Number.isSafeInteger(Number(source)) ? String(Number(source) + 0) : source
}
