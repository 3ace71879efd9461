import * as z from 'zod'
import { isObject, type JsonObject } from '#util/json.ts'
import type { Kind } from './option.ts'
import { object, option } from './option.ts'
import { parseDuration, parseSize } from './quantities.ts'
import { describe } from './sentence.ts'

/** `true` or `false`. */
export const flag = (): Kind<boolean> => ({ schema: z.boolean(), type: '`true` or `false`' })

/** A whole number within bounds. */
export const whole = (bounds: { readonly min?: number; readonly max?: number } = {}): Kind<number> => ({
  schema: z
    .int()
    .min(bounds.min ?? Number.MIN_SAFE_INTEGER)
    .max(bounds.max ?? Number.MAX_SAFE_INTEGER),
  type: 'a whole number',
})

/** A number that is not negative. */
export const decimal = (): Kind<number> => ({ schema: z.number().min(0), type: 'a number' })

/** Text as it stands. */
export const text = (): Kind<string> => ({ schema: z.string(), type: 'text' })

/** Text that YAML takes for a number unless it is quoted, such as a room version. */
export const textOrNumber = (): Kind<string> =>
  understood('text', (value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined))

/** One of these words. */
export const oneOf = <const T extends string>(values: readonly T[]): Kind<T> => ({
  schema: z.enum(values),
  type: values.map((value) => `\`${value}\``).join(', '),
})

/** A number of bytes. */
export const size = (): Kind<number> => understood('a size such as `50M`', parseSize)

/** A number of milliseconds. */
export const duration = (): Kind<number> => understood('a duration such as `5m` or `7d`', parseDuration)

/** A file or folder, absolute once it is read. */
export const path = (): Kind<string> => ({ schema: z.string().min(1), type: 'a path', isPath: true })

/** An `http` or `https` address. */
export const webAddress = (): Kind<string> =>
  understood('an address that starts with `https://` or `http://`', (value) => {
    const url = typeof value === 'string' ? URL.parse(value) : null
    return url?.protocol === 'https:' || url?.protocol === 'http:' ? url.href : undefined
  })

/** Texts in a list. */
export const textList = (type = 'a list of texts'): Kind<readonly string[]> => ({ schema: z.array(z.string()), type })

/** Anything that has keys, left as it is. */
export const jsonObject = (): Kind<JsonObject> =>
  understood('a set of keys', (value) => (isObject(value) ? value : undefined))

/** So many a second on average, so many at once. */
export type RateLimit = { readonly perSecond: number; readonly burst: number }

/** A leaky bucket; what is left out of it has its own default. */
export const rateLimit = (perSecond: number, burst: number): Kind<RateLimit> =>
  object({
    perSecond: option('per_second', decimal(), { default: perSecond, doc: 'How many a second, on average.' }),
    burst: option('burst_count', whole({ min: 0 }), { default: burst, doc: 'How many at once.' }),
  })

/** A kind with a reader of its own: `undefined` from it means that the value is not of this kind. */
export const understood = <T>(type: string, read: (value: unknown) => T | undefined): Kind<T> => ({
  type,
  schema: z.unknown().transform((value, context) => {
    const result = read(value)
    if (result !== undefined) return result
    context.issues.push({ code: 'custom', input: value, message: `Expected ${type}, and got ${describe(value)}.` })
    return z.NEVER
  }),
})
