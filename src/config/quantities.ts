const SIZES: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }
const SECOND = 1000
const DAY = 86_400 * SECOND
const DURATIONS: Readonly<Record<string, number>> = {
  '': 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: DAY,
  w: 7 * DAY,
  y: 365 * DAY,
}

/** Bytes of `50M`, `1G`, `512K` or a bare number of bytes; `undefined` for anything else. */
export const parseSize = (value: unknown): number | undefined => parseQuantity(value, SIZES)

/** Milliseconds of `5m`, `1h`, `7d`, `2w`, `1y` or a bare number of milliseconds; `undefined` for anything else. */
export const parseDuration = (value: unknown): number | undefined => parseQuantity(value, DURATIONS)

function parseQuantity(value: unknown, units: Readonly<Record<string, number>>): number | undefined {
  const text = typeof value === 'number' ? value.toString() : typeof value === 'string' ? value.trim() : ''
  const match = /^(\d+)\s*([A-Za-z]?)$/.exec(text)
  const unit = match?.[2] === undefined || !Object.hasOwn(units, match[2]) ? undefined : units[match[2]]
  if (match === null || unit === undefined) return undefined
  const quantity = Number(match[1]) * unit
  return Number.isSafeInteger(quantity) ? quantity : undefined
}
