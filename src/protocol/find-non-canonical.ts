import { MAX_JSON_DEPTH } from '#protocol/canonical-json.ts'
import { formatPropertyPath } from '#protocol/property-path.ts'
import { RawNumber } from '#protocol/raw-number.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'

/** What an event may not contain: `path` leads there as a dot-separated property path. */
export type NonCanonical = { readonly path: string; readonly reason: string }

/**
 * The first place where a value read by `readJson` breaks the JSON that a room version allows in events, or `undefined`.
 * From version 6 numbers are integers within ±(2^53 - 1); before, any number may stand. A lone surrogate cannot be
 * written in UTF-8, so no version allows one. https://spec.matrix.org/v1.19/rooms/v6/#canonical-json
 */
export const findNonCanonical = (value: unknown, rules: RoomVersionRules): NonCanonical | undefined => {
  const found = find(value, rules.strictCanonicalJson, MAX_JSON_DEPTH)
  return found && { path: formatPropertyPath(found.path.toReversed()), reason: found.reason }
}

/** The path is collected on the way back, innermost key first. */
type Found = { readonly path: string[]; readonly reason: string }

function find(value: unknown, isStrict: boolean, levels: number): Found | undefined {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed()
        ? undefined
        : found('Expected text that can be written in UTF-8, got a lone surrogate.')
    case 'number':
      return findInNumber(value, isStrict)
    case 'object':
      return value === null ? undefined : findInObject(value, isStrict, levels)
    case 'boolean':
      return undefined
    default:
      return found(`Expected JSON, got ${typeof value}.`)
  }
}

function findInNumber(value: number, isStrict: boolean): Found | undefined {
  if (!isStrict) return Number.isFinite(value) ? undefined : found('Expected a number that JSON can hold.')
  return Number.isSafeInteger(value) && !Object.is(value, -0) ? undefined : found(NOT_AN_INTEGER)
}

function findInObject(value: object, isStrict: boolean, levels: number): Found | undefined {
  if (value instanceof RawNumber) return isStrict ? found(NOT_AN_INTEGER) : undefined
  if (levels === 0) return found(`Expected JSON nested at most ${MAX_JSON_DEPTH} levels deep.`)
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const inside = find(value[i], isStrict, levels - 1)
      if (inside !== undefined) return within(String(i), inside)
    }
    return undefined
  }
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return within(key.toWellFormed(), found('Expected a key that can be written in UTF-8.'))
    const inside = find(value[key as keyof typeof value], isStrict, levels - 1)
    if (inside !== undefined) return within(key, inside)
  }
  return undefined
}

const NOT_AN_INTEGER = 'Expected an integer within ±(2^53 - 1), written without fraction, exponent or negative zero.'
const found = (reason: string): Found => ({ path: [], reason })
const within = (key: string, inside: Found): Found => {
  inside.path.push(key)
  return inside
}
