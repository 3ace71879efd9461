import { keywordOf } from './keywords.ts'

type Read =
  | { readonly ok: true; readonly settings: ReadonlyMap<string, string> }
  | { readonly ok: false; readonly sentence: string }

const SCHEME = /^postgres(?:ql)?:\/\//

/** Whether a connection string is a URI. */
export const isConnectionUri = (text: string): boolean => SCHEME.test(text)

class BadUri extends Error {}

/** Reads `postgresql://user:password@host:port,host:port/dbname?keyword=value`. Complaints repeat no part of it that may be the password. */
export const readUri = (uri: string): Read => {
  try {
    return { ok: true, settings: settingsOf(uri.replace(SCHEME, '')) }
  } catch (error) {
    if (error instanceof BadUri) return { ok: false, sentence: error.message }
    throw error
  }
}

function settingsOf(text: string): Map<string, string> {
  const settings = new Map<string, string>()
  const put = (name: string, value: string) => {
    if (value !== '') settings.set(name, value)
  }
  // A user can only stand before the first slash; a socket's folder as host is written with %2F.
  const userEnd = text.split('/', 1)[0]?.indexOf('@') ?? -1
  if (userEnd >= 0) {
    const [user = '', ...password] = text.slice(0, userEnd).split(':')
    put('user', decoded(user))
    put('password', decoded(password.join(':')))
  }
  const rest = text.slice(userEnd + 1)
  const end = rest.search(/[/?]/)
  const places = (end < 0 ? rest : rest.slice(0, end)).split(',').map(readPlace)
  put('host', places.map(({ host }) => host).join(','))
  put('port', places.map(({ port }) => port).join(','))
  if (end >= 0) readRest(rest.slice(end), put, settings)
  return settings
}

function readRest(rest: string, put: (name: string, value: string) => void, settings: Map<string, string>): void {
  const queryAt = rest.indexOf('?')
  const path = queryAt < 0 ? rest : rest.slice(0, queryAt)
  put('dbname', decoded(path.replace(/^\//, '')))
  if (queryAt < 0 || queryAt === rest.length - 1) return
  for (const parameter of rest
    .slice(queryAt + 1)
    .replace(/&$/, '')
    .split('&')) {
    const [name = '', value, ...more] = parameter.split('=')
    if (value === undefined) throw new BadUri('A parameter of the connection URI has no "=".')
    if (more.length > 0) throw new BadUri('A parameter of the connection URI has more than one "=".')
    readParameter(decoded(name), decoded(value), settings)
  }
}

function readParameter(name: string, value: string, settings: Map<string, string>): void {
  // As in JDBC.
  if (name === 'ssl' && value === 'true') settings.set('sslmode', 'require')
  else if (keywordOf(name) === undefined) throw new BadUri(`There is no connection parameter ${JSON.stringify(name)}.`)
  else settings.set(name, value)
}

function readPlace(text: string): { readonly host: string; readonly port: string } {
  const match = text.startsWith('[') ? /^\[([^\]]+)\](?::(.*))?$/s.exec(text) : /^([^:]*)(?::(.*))?$/s.exec(text)
  if (match === null)
    throw new BadUri('Expected host and port in the connection URI as host:port, or [address]:port for IPv6.')
  return { host: decoded(match[1] ?? ''), port: decoded(match[2] ?? '') }
}

function decoded(text: string): string {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) throw new BadUri('A "%" in the connection URI has no two hex digits after it.')
  if (/%00/.test(text)) throw new BadUri('The connection URI must not contain %00.')
  const written = Buffer.from(text)
  const bytes: number[] = []
  for (let at = 0; at < written.length; at++) {
    const isEscape = written[at] === 0x25
    bytes.push(isEscape ? Number.parseInt(written.toString('latin1', at + 1, at + 3), 16) : (written[at] ?? 0))
    if (isEscape) at += 2
  }
  return Buffer.from(bytes).toString()
}
