/** The ways in which a server can ask who we are. `none`: it does not ask. */
export const AUTH_METHODS = ['password', 'md5', 'gss', 'sspi', 'scram-sha-256', 'oauth', 'none'] as const
/** One of them. */
export type AuthMethod = (typeof AUTH_METHODS)[number]

/** Which of them are acceptable. */
export type RequireAuth = ReadonlySet<AuthMethod>

const isMethod = (name: string): name is AuthMethod => (AUTH_METHODS as readonly string[]).includes(name)

/** Reads `require_auth`: a list of what is acceptable, or with `!` before each one of what is not. Gives a sentence where it is neither. */
export const readRequireAuth = (value: string): RequireAuth | string => {
  const named = value.split(',')
  const isNegative = named[0]?.startsWith('!') === true
  const found = new Set<AuthMethod>()
  for (const part of named) {
    if (part.startsWith('!') !== isNegative) return 'Expected a "!" before all of the methods or before none.'
    const name = isNegative ? part.slice(1) : part
    if (!isMethod(name)) return `Expected methods among ${AUTH_METHODS.join(', ')}, and got "${name}".`
    if (found.has(name)) return `Expected each method once, and got "${name}" twice.`
    found.add(name)
  }
  return isNegative ? new Set(AUTH_METHODS.filter((name) => !found.has(name))) : found
}

/** Why a value of `require_auth` cannot be used. */
export const judgeRequireAuth = (value: string): string | undefined => {
  const read = readRequireAuth(value)
  return typeof read === 'string' ? read : undefined
}
