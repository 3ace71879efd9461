import { MAX_JSON_DEPTH } from '#protocol/canonical-json.ts'
import { RawNumber } from '#protocol/raw-number.ts'
import type { Json, JsonObject } from '#util/json.ts'
import { type Refusal, refused } from '#util/verdict.ts'

/**
 * Reads JSON text without losing what its numbers were: one that is no plain safe integer in the text (a fraction, an
 * exponent, `-0`, `1.0`, beyond ±(2^53 - 1)) becomes a `RawNumber`. Of keys that stand twice the last counts;
 * `__proto__` is a key like any other. Text that is no JSON, or nested deeper than 500 levels, is refused.
 * https://spec.matrix.org/v1.19/appendices/#canonical-json
 */
export function readJson(text: string): { readonly ok: true; readonly value: Json } | Refusal {
  const value = parse(text)
  if (value === undefined) return refused('json', 'Expected JSON text.')
  // A level takes two characters, so short text needs no look.
  if (text.length > 2 * MAX_JSON_DEPTH && !isShallow(value, MAX_JSON_DEPTH)) {
    return refused('json_depth', `Expected JSON nested at most ${MAX_JSON_DEPTH} levels deep.`)
  }
  // JSON.parse with a reviver recurses, which the depth above allows.
  const isUsual = typeof value !== 'number' && !UNUSUAL_NUMBER.test(text)
  return { ok: true, value: isUsual ? value : parseWithSources(text, keepSource) }
}

/** Finds all numbers inside of a value that JSON.parse might not give back, and text in strings that looks like one. */
const UNUSUAL_NUMBER = /[:,[][ \t\n\r]*(?:-0|-?\d+[.eE]|-?\d{16})/

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text)
  } catch {
    // Said by the refusal.
    return undefined
  }
}

function isShallow(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  if (Array.isArray(value)) return value.every((item) => isShallow(item, levels - 1))
  const object: JsonObject = value as JsonObject
  for (const key of Object.keys(object)) {
    const item = object[key] as Json
    if (typeof item === 'object' && !isShallow(item, levels - 1)) return false
  }
  return true
}

function keepSource(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context.source === undefined) return value
  const isPlain = Number.isSafeInteger(value) && String(value) === context.source
  return isPlain ? value : new RawNumber(context.source)
}

// The standard library's types do not know the third argument of a reviver yet.
const parseWithSources = JSON.parse as (text: string, reviver: typeof keepSource) => Json
