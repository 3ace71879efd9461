import { keywordOf } from './keywords.ts'

/** What a service file says of a service: its parameters, nothing, or what is wrong. */
export type Service =
  | { readonly kind: 'found'; readonly settings: ReadonlyMap<string, string> }
  | { readonly kind: 'missing' }
  | { readonly kind: 'bad'; readonly sentence: string }

/** Looks a service up in the text of a service file. https://www.postgresql.org/docs/18/libpq-pgservice.html */
export const findService = (text: string, name: string): Service => {
  const settings = new Map<string, string>()
  let isInside = false
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('[')) {
      if (isInside) break
      isInside = line.startsWith(`[${name}]`)
      continue
    }
    if (!isInside) continue
    const bad = readLine(line, settings)
    if (bad !== undefined) return { kind: 'bad', sentence: `Line ${index + 1}: ${bad}` }
  }
  return isInside || settings.size > 0 ? { kind: 'found', settings } : { kind: 'missing' }
}

function readLine(line: string, settings: Map<string, string>): string | undefined {
  if (line.startsWith('ldap')) return 'Services are not looked up by LDAP.'
  const equals = line.indexOf('=')
  if (equals < 0) return 'Expected a keyword, "=" and its value.'
  const name = line.slice(0, equals)
  if (name === 'service' || name === 'servicefile') return 'A service cannot name another one.'
  if (keywordOf(name) === undefined) return `There is no connection parameter ${JSON.stringify(name)}.`
  // The first one counts.
  if (!settings.has(name)) settings.set(name, line.slice(equals + 1))
  return undefined
}
