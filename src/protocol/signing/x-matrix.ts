import type { KeyObject } from 'node:crypto'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { parseServerName, type ServerName } from '#protocol/identifiers.ts'
import type { Json, JsonObject } from '#util/json.ts'
import { allowed, type Refusal, refused, type Verdict } from '#util/verdict.ts'
import { isSignatureOf } from './ed25519.ts'
import { type SigningKey, signText } from './signing-key.ts'

/** What a server signs of a request. https://spec.matrix.org/v1.19/server-server-api/#request-authentication */
export type SignedRequest = {
  readonly method: string
  /** The path and query from `/_matrix` on, as it is sent. */
  readonly uri: string
  /** The server that is asked, by its name before any delegation. */
  readonly destination: ServerName
  /** The body, or `undefined` for a request without one. */
  readonly content: Json | undefined
}

/** The parameters of an `Authorization` header. https://spec.matrix.org/v1.19/server-server-api/#request-authentication */
export type XMatrix = {
  readonly origin: ServerName
  /** Absent from older servers. Any other than the server's own name must be answered with 401. */
  readonly destination: string | undefined
  readonly keyId: string
  readonly signature: string
}

/** The `Authorization` header of a request from `origin`. https://spec.matrix.org/v1.19/server-server-api/#request-authentication */
export function makeXMatrix(request: SignedRequest, origin: ServerName, key: SigningKey): string {
  const signature = signText(signedText(request, origin), key)
  return `X-Matrix origin="${origin}",destination="${request.destination}",key="${key.keyId}",sig="${signature}"`
}

/**
 * Reads an `Authorization` header as tolerantly as the specification asks: any case and order of names, spaces around
 * commas, tokens or quoted values with escapes, colons outside of quotes, and unknown parameters. Servers write the
 * signature as `sig`, the specification's list says `signature`: both are read.
 * https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function parseXMatrix(header: string): XMatrix | Refusal {
  const scheme = /^X-Matrix +/i.exec(header)
  if (scheme === null) return refused('scheme', 'Expected an Authorization header of the scheme X-Matrix.')
  const parameters = parseParameters(header.slice(scheme[0].length))
  if (parameters === undefined)
    return refused('syntax', 'Expected name=value pairs with commas between, each name once.')
  const origin = parseServerName(parameters.get('origin'))
  if (origin === undefined) return refused('origin', 'Expected the parameter origin to be a server name.')
  const keyId = parameters.get('key')
  if (keyId === undefined) return refused('key', 'Expected the parameter key.')
  const signature = parameters.get('sig') ?? parameters.get('signature')
  if (signature === undefined) return refused('sig', 'Expected the parameter sig.')
  return { origin, destination: parameters.get('destination'), keyId, signature }
}

/**
 * Whether `origin` signed a request: `publicKey` is its key of the ID in the header. `destination` of the request is this
 * server, so a header that names another is refused. https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function verifyXMatrix(request: SignedRequest, header: XMatrix, publicKey: KeyObject): Verdict {
  if (header.destination !== undefined && header.destination !== request.destination) {
    return refused('destination', `Expected a request to ${request.destination}.`)
  }
  const isValid = isSignatureOf(header.signature, signedText(request, header.origin), publicKey)
  return isValid ? allowed : refused('sig', `Expected a valid signature of ${header.origin}.`)
}

function signedText({ method, uri, destination, content }: SignedRequest, origin: ServerName): string {
  const object: JsonObject = { method, uri, origin, destination }
  return canonicalJson(content === undefined ? object : { ...object, content })
}

// A token of RFC 9110, section 5.6.2, or a quoted string of section 5.6.4; colons for older servers, and `/`, `=` and
// the like of base64, which some leave without quotes.
const PARAMETER = /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))[ \t]*(?:,|$)/y

function parseParameters(text: string): ReadonlyMap<string, string> | undefined {
  const parameters = new Map<string, string>()
  const pattern = new RegExp(PARAMETER)
  while (pattern.lastIndex < text.length) {
    const match = pattern.exec(text)
    if (match === null) return undefined
    const [, name = '', quoted, token] = match
    if (parameters.has(name.toLowerCase())) return undefined
    parameters.set(name.toLowerCase(), quoted === undefined ? (token ?? '') : quoted.replace(/\\(.)/g, '$1'))
  }
  return parameters
}
