/** Parameters that let whoever knows them do something. */
const SECRETS = new Set(['access_token', 'client_secret', 'logintoken', 'login_token', 'token', 'nonce', 'mac'])

/** Cheap: most requests have nothing that could be one. `%` may spell any letter. */
const SUSPICION = /token|secret|nonce|mac=|%|\+/i

/** The address that was asked for, without secrets. */
export const redactedUrl = (url: string): string => {
  const at = url.indexOf('?')
  if (at === -1) return url
  const query = url.slice(at + 1)
  if (!SUSPICION.test(query)) return url
  const kept = query.split(/([&;])/).map((part) => {
    const end = part.indexOf('=')
    return end !== -1 && isSecret(part.slice(0, end)) ? `${part.slice(0, end)}=<redacted>` : part
  })
  return `${url.slice(0, at)}?${kept.join('')}`
}

/** What does not decode may be anything, and is kept out of the log. */
const isSecret = (name: string): boolean => {
  try {
    return SECRETS.has(decodeURIComponent(name.replaceAll('+', ' ')).trim().toLowerCase())
  } catch {
    return true
  }
}
