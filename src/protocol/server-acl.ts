import { get, type Json, type JsonObject } from '#util/json.ts'
import { compileGlob, foldCase, type GlobMatcher } from './glob.ts'

/** Says whether a server, with or without a port, may take part in a room. */
export type ServerAcl = (serverName: string) => boolean

/**
 * Compiles the content of a room's server ACL event; `undefined` means that the room has none, and everybody may take
 * part. Entries that are no text are ignored, and what is no list is empty. https://spec.matrix.org/v1.19/client-server-api/#mroomserver_acl
 */
export function compileServerAcl(content: JsonObject | undefined): ServerAcl {
  // 1. Without an event, allow.
  if (content === undefined) return () => true
  const deniesIpLiterals = get(content, 'allow_ip_literals') === false
  const isDenied = anyOf(get(content, 'deny'))
  const isAllowed = anyOf(get(content, 'allow'))
  return (serverName) => {
    const host = foldCase(withoutPort(serverName))
    // 2. IP literals, 3. the deny list, 4. the allow list, 5. otherwise deny.
    if (deniesIpLiterals && isIpLiteral(host)) return false
    return !isDenied(host) && isAllowed(host)
  }
}

/** Names without wildcards are looked up rather than tried one by one; lists of thousands are usual. */
function anyOf(entries: Json | undefined): GlobMatcher {
  const patterns = Array.isArray(entries) ? entries.filter((entry): entry is string => typeof entry === 'string') : []
  const folded = patterns.map(foldCase)
  const isPlain = (pattern: string): boolean => !/[*?]/.test(pattern)
  const names = new Set(folded.filter(isPlain))
  const globs = folded.filter((pattern) => !isPlain(pattern)).map((pattern) => compileGlob(pattern))
  return (host) => names.has(host) || globs.some((matches) => matches(host))
}

/** The colon of a port stands behind the bracket of an IPv6 address. */
const withoutPort = (serverName: string): string =>
  serverName.replace(/:[0-9]*$/, (port, at: number) =>
    serverName.startsWith('[') && serverName.charAt(at - 1) !== ']' ? port : '',
  )

const isIpLiteral = (host: string): boolean => host.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(host)
