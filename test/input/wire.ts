import { type Agent, request } from 'node:http'
import type * as z from 'zod'
import type { Endpoint } from '#api/endpoint.ts'
import { checkResponse } from '#test/conformance/facts.ts'
import type { BadRequest } from './requests.ts'
import type { World } from './world.ts'

/** What came back. */
export type WireAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
}

/** Longer than any request may take that does not mean to wait. */
const LIMIT_MS = 20_000

/** Sends a request as it is. Fails when nothing comes back in time, and when the connection ends without an answer. */
export const exchange = (agent: Agent, base: string, world: World, bad: BadRequest): Promise<WireAnswer> => {
  const url = world.fill(bad.url, encodeURIComponent)
  const glue = url.includes('?') ? '&' : '?'
  const path = bad.token === 'query' || bad.token === 'twice' ? `${url}${glue}access_token=${world.token}` : url
  const authorization = {
    own: `Bearer ${world.token}`,
    twice: `Bearer ${world.token}`,
    nonsense: 'Bearer \u00ff nonsense',
    none: undefined,
    query: undefined,
  }[bad.token]
  const body =
    bad.body === undefined
      ? undefined
      : Buffer.from(
          world.fill(Buffer.from(bad.body).toString('latin1'), (name) => name),
          'latin1',
        )
  return ask(agent, base, {
    method: bad.method,
    path,
    headers: {
      ...bad.headers,
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : lengthOf(body, bad.isChunked)),
    },
    body,
  })
}

const lengthOf = (body: Buffer, isChunked: boolean): Readonly<Record<string, string>> =>
  isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(body.length) }

type Sent = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | undefined
}

function ask(agent: Agent, base: string, { method, path, headers, body }: Sent): Promise<WireAnswer> {
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const sent = request({ agent, hostname, port, method, path, headers, timeout: LIMIT_MS }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
      response.on('error', reject)
    })
    sent.on('timeout', () => sent.destroy(new Error(`nothing came back in ${LIMIT_MS} ms`)))
    sent.on('error', reject)
    if (body !== undefined) sent.write(body)
    sent.end()
  })
}

/** What is wrong with an answer to a bad request; nothing where it is a Matrix error or a success that the endpoint declares. */
export const faultOf = (
  endpoint: Endpoint,
  method: string,
  { status, headers, text }: WireAnswer,
): string | undefined => {
  if (status >= 500) return `answered ${status}: ${text.slice(0, 300)}`
  if (method === 'HEAD' || method === 'OPTIONS') return undefined
  if (status >= 400 && method !== endpoint.method) return faultOfError(status, headers, text)
  if (status < 300) return faultOfSuccess(endpoint, method, { status, headers, text })
  if (status < 400) return `answered ${status}`
  const fault = faultOfError(status, headers, text)
  if (fault !== undefined || !endpoint.spec.startsWith('client-server-api')) return fault
  const violations = checkResponse(endpoint.id, status, JSON.parse(text))
  return violations.length === 0 ? undefined : `violates the specification: ${violations.join('; ')}`
}

const isJson = (headers: WireAnswer['headers']): boolean =>
  /^application\/json(; charset=utf-8)?$/.test(String(headers['content-type']))

function faultOfError(status: number, headers: WireAnswer['headers'], text: string): string | undefined {
  if (!isJson(headers)) return `${status} of type ${headers['content-type']}: ${text.slice(0, 300)}`
  const body: unknown = parsed(text)
  const { errcode, error, flows } = Object(body) as Record<string, unknown>
  if (status === 401 && Array.isArray(flows)) return undefined
  if (typeof errcode !== 'string' || !/^M_[A-Z_]+$/.test(errcode))
    return `${status} without a code: ${text.slice(0, 300)}`
  if (typeof error !== 'string' || error === '') return `${status} without a text: ${text.slice(0, 300)}`
  return error.length > 1_000 ? `${status} with ${error.length} characters of text` : undefined
}

function faultOfSuccess(endpoint: Endpoint, method: string, { headers, text }: WireAnswer): string | undefined {
  if (!isJson(headers)) {
    return (endpoint.response as z.ZodType).type === 'never'
      ? undefined
      : `a success of type ${headers['content-type']}`
  }
  if (method !== endpoint.method) return undefined
  const result = (endpoint.response as z.ZodType).safeParse(parsed(text))
  return result.success ? undefined : `a success that is not declared: ${text.slice(0, 300)}`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // It is shown as it came.
    return undefined
  }
}
