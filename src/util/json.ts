/** Any JSON value, as `JSON.parse` gives it. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A JSON object. Keys come from outside: look them up with `Object.hasOwn` or on objects that `JSON.parse` made. */
export type JsonObject = { readonly [key: string]: Json }

/** A JSON object whose fields were checked as far as a schema knows them. `isObject` makes a `JsonObject` of it. */
export type WrittenObject = Readonly<Record<string, unknown>>

/** Whether `value` is a JSON object (neither null nor an array). */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The own property `key` of `value`, or `undefined` where `value` is no object or has none. Safe for `__proto__`. */
export const get = (value: unknown, key: string): Json | undefined =>
  isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined

/** The own string property `key` of `value`, or `undefined`. */
export const getString = (value: unknown, key: string): string | undefined => {
  const found = get(value, key)
  return typeof found === 'string' ? found : undefined
}
