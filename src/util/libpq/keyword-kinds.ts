import { isIP } from 'node:net'

/** Why a value cannot be used, as a sentence; `undefined` where it can. The sentence never repeats a secret. */
export type Judge = (value: string) => string | undefined

/** What becomes of a keyword: it does what libpq does with it; it is refused where it would matter; it has nothing to act on. */
export type Standing = 'honoured' | 'refused' | 'does not apply'

/** One connection parameter of libpq. */
export type Keyword = {
  readonly name: string
  /** The environment variable that stands in for it. */
  readonly variable: string | undefined
  /** What libpq takes where nothing is said, as a value. */
  readonly default: string | undefined
  readonly standing: Standing
  /** For the manual. */
  readonly doc: string
  readonly isSecret: boolean
  readonly judge: Judge
}
type About = {
  readonly variable?: string
  readonly default?: string
  readonly doc: string
  readonly isSecret?: true
}

const declare = (standing: Standing, name: string, about: About, judge: Judge): Keyword => ({
  name,
  variable: about.variable,
  default: about.default,
  standing,
  doc: about.doc,
  isSecret: about.isSecret === true,
  judge,
})

/** A keyword that means here what it means in libpq. */
export const honoured = (name: string, about: About, judge: Judge = anything): Keyword =>
  declare('honoured', name, about, judge)

/** A keyword that cannot be honoured: `judge` lets the values through that ask for nothing. */
export const refused = (name: string, about: About, judge: Judge): Keyword => declare('refused', name, about, judge)

/** A keyword whose every legal value has the same effect here. */
export const idle = (name: string, about: About, judge: Judge): Keyword => declare('does not apply', name, about, judge)

/** Any value at all. */
export const anything: Judge = () => undefined

/** One of these, to the letter. */
export const oneOf =
  (...values: readonly string[]): Judge =>
  (value) =>
    values.includes(value) ? undefined : `Expected one of ${values.join(', ')}, and got "${value}".`

/** One of these, in upper or lower case, or nothing. */
export const oneOfAnyCase = (...values: readonly string[]): Judge => {
  const lower = new Set(values.map((value) => value.toLowerCase()))
  return (value) =>
    value === '' || lower.has(value.toLowerCase())
      ? undefined
      : `Expected one of ${values.join(', ')}, and got "${value}".`
}

const WHOLE = /^\s*[+-]?\d{1,10}\s*$/

/** A whole number as C reads it, of 32 bits. */
export const whole: Judge = (value) =>
  WHOLE.test(value) && Math.abs(Number(value)) < 2 ** 31 ? undefined : `Expected a whole number, and got "${value}".`

/** A whole number of what the kernel keeps for a socket; 0 leaves it to the system. */
export const keptBySocket =
  (most: number): Judge =>
  (value) =>
    whole(value) ??
    (Number(value) >= 0 && Number(value) <= most ? undefined : `Expected 0 to ${most}, and got "${value}".`)

/** Addresses, separated by commas; an empty one is looked up by the host's name. */
export const addresses: Judge = (value) => {
  const wrong = value.split(',').find((part) => part !== '' && isIP(part) === 0)
  return wrong === undefined
    ? undefined
    : `Expected an address of IPv4 or IPv6, and got "${wrong}"; names go into host.`
}

/** Ports, separated by commas; empty ones are 5432. */
export const ports: Judge = (value) => {
  for (const part of value.split(',')) {
    const port = Number(part)
    const isPort = part === '' || (WHOLE.test(part) && port >= 1 && port <= 65_535)
    if (!isPort) return `Expected a port from 1 to 65535, and got "${part}".`
  }
  return undefined
}

/** Nothing but these values, because of the reason. */
export const only =
  (harmless: readonly string[], reason: string): Judge =>
  (value) =>
    value === '' || harmless.includes(value) ? undefined : reason
