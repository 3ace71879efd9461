import * as fc from 'fast-check'
import type * as z from 'zod'
import type { Endpoint } from '#api/endpoint.ts'
import { Entries, nastyBytes, nastyText, nastyValue, printTree, spoilt } from './nasty.ts'
import { plausible, plausibleText, schemaOf } from './plausible.ts'

/** A request as it goes over the wire, but for `<<names>>` of things, and for the token. */
export type BadRequest = {
  readonly method: string
  /** Path and query, percent-encoded or not quite. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly token: 'own' | 'none' | 'query' | 'twice' | 'nonsense'
  readonly body: Uint8Array | undefined
  readonly isChunked: boolean
}

const often = <T>(usual: fc.Arbitrary<T>, weight: number, ...rare: fc.Arbitrary<T>[]): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, ...rare.map((arbitrary) => ({ weight: 1, arbitrary })))

/** Percent-encoded; what has no UTF-8 becomes bytes that are none. */
const encoded = (text: string): string =>
  text.isWellFormed()
    ? encodeURIComponent(text).replaceAll('%3C%3C', '<<').replaceAll('%3E%3E', '>>')
    : `%ed%a0%80${encodeURIComponent(text.toWellFormed())}`

const SEGMENTS = ['', '%', '%zz', '%ff', '%00', '%2e%2e', '..', '.', '%2f', '%C0%AF', ';a=b', '::', '*', '%u0000']

const segment = (name: string): fc.Arbitrary<string> =>
  often(
    plausibleText(name).map(encoded),
    8,
    nastyText.map((text) => encoded(text.slice(0, 6_000))),
    fc.constantFrom(...SEGMENTS),
  )

const pathOf = (endpoint: Endpoint): fc.Arbitrary<string> =>
  often(fc.constant(endpoint.path), 6, fc.constantFrom(endpoint.path, ...endpoint.alsoAt)).chain((template) => {
    const names = [...template.matchAll(/\{([A-Za-z]+)\}/g)].map(([, name]) => name ?? '')
    return fc
      .tuple(...names.map(segment))
      .map((values) => values.reduce((path, value, index) => path.replace(`{${names[index]}}`, () => value), template))
  })

const EXTRA_QUERIES = [
  '__proto__=1',
  '__proto__[a]=1',
  'constructor=1&constructor=2',
  'a=%',
  '%ff=%ff',
  '=',
  '&&&',
  'a[]=1&a[]=2',
  'a.b=c',
  'access_token=none',
  'user_id=%40other%3Aprocess.example',
  `long=${'x'.repeat(9_000)}`,
  `longer=${'x'.repeat(20_000)}`,
  'a=1&'.repeat(1_500),
]

const queryOf = ({ query }: Endpoint): fc.Arbitrary<string> => {
  const properties = query === undefined ? {} : (schemaOf(query as z.ZodType).properties ?? {})
  const fields = Object.entries(properties).map(([name, property]) => {
    // What is taken for a long wait would wait.
    const nasty = name === 'timeout' ? fc.constantFrom('-1', '1e3', '', '%00', '9'.repeat(30)) : nastyText.map(encoded)
    const usual = plausible(property, name).map((tree) => encoded(typeof tree === 'string' ? tree : printTree(tree)))
    const value = often(usual, 5, nasty).map((text) => `${name}=${text.slice(0, 9_000)}`)
    return fc.oneof(
      value,
      value,
      fc.constant(''),
      fc.tuple(value, value).map((twice) => twice.join('&')),
    )
  })
  return fc
    .tuple(often(fc.constant(''), 8, fc.constantFrom(...EXTRA_QUERIES)), ...fields)
    .map((parts) => parts.filter((part) => part !== '').join('&'))
}

const bodyOf = ({ body, bodyKind, method }: Endpoint): fc.Arbitrary<Uint8Array | undefined> => {
  const none = fc.constant(undefined)
  if (method === 'GET') return often(none, 10, nastyBytes)
  if (bodyKind === 'bytes' || body === undefined) return fc.oneof(none, nastyBytes)
  const usual = spoilt(plausible(schemaOf(body as z.ZodType)))
  const text = often(usual, 6, nastyValue, fc.constant(new Entries([]))).map((tree) => Buffer.from(printTree(tree)))
  return fc.oneof({ weight: 8, arbitrary: text }, { weight: 2, arbitrary: nastyBytes }, { weight: 1, arbitrary: none })
}

const CONTENT_TYPES = [
  '',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-16',
  'application/json;;;=',
  '////',
  'x'.repeat(1_000),
  'text/html; charset="\u00ff"',
]

/** Requests to an endpoint that are more or less bad. */
export const badRequests = (endpoint: Endpoint): fc.Arbitrary<BadRequest> =>
  fc
    .record({
      method: often(
        fc.constant<string>(endpoint.method),
        15,
        fc.constantFrom('GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'),
      ),
      path: pathOf(endpoint),
      query: queryOf(endpoint),
      contentType: often(fc.constant('application/json'), 4, fc.constantFrom(...CONTENT_TYPES)),
      token: often<BadRequest['token']>(fc.constant('own'), 12, fc.constantFrom('none', 'query', 'twice', 'nonsense')),
      body: bodyOf(endpoint),
      isChunked: often<boolean>(fc.constant(false), 8, fc.constant(true)),
    })
    .map(({ method, path, query, contentType, token, body, isChunked }) => ({
      method,
      url: query === '' ? path : `${path}?${query}`,
      headers: contentType === '' ? {} : { 'content-type': contentType },
      token,
      body,
      isChunked: isChunked && body !== undefined,
    }))
