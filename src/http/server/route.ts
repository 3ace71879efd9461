import type { Readable } from 'node:stream'
import type * as z from 'zod'
import type { Auth, Endpoint } from '#api/endpoint.ts'
import type { Requester } from '#api/requester.ts'

/** What the connection says of a request. */
export type Caller = {
  /** The client's address, from `X-Forwarded-For` where the listener trusts it. */
  readonly ip: string
  readonly userAgent: string | undefined
  /** It sent an access token, good or not: endpoints that need none look at it for application services. */
  readonly hasToken: boolean
  /** The `Range` header. */
  readonly range: string | undefined
  /** The client hung up before it was answered. */
  readonly isGone: boolean
  /** Is cancelled if it hangs up before it is answered. */
  waiting: { readonly cancel: () => void } | undefined
}

type RequesterOf<A extends Auth> = A extends 'none'
  ? undefined
  : A extends 'accessTokenOptional'
    ? Requester | undefined
    : Requester

/** A request as a handler gets it: checked, and typed by its endpoint. */
export type Call<E extends Endpoint> = {
  readonly requester: E extends Endpoint<z.ZodType, z.ZodType, z.ZodType, z.ZodType, infer A> ? RequesterOf<A> : never
  readonly params: z.output<E['params']>
  readonly query: z.output<E['query']>
  readonly body: E['bodyKind'] extends 'bytes' ? Upload : z.output<E['body']>
  readonly caller: Caller
}

/** The bytes of an upload, as they come. */
export type Upload = {
  readonly stream: Readable
  readonly contentType: string | undefined
  /** What the client says the length is. */
  readonly contentLength: number | undefined
}

/** An answer whose JSON is printed already. */
export class JsonText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An answer that is no JSON: a file, a page. */
export class Download {
  readonly headers: Readonly<Record<string, string>>
  readonly body: Readable | string | Uint8Array
  readonly status: number

  constructor(headers: Readonly<Record<string, string>>, body: Readable | string | Uint8Array, status = 200) {
    this.headers = headers
    this.body = body
    this.status = status
  }
}

/** An endpoint with what answers it. */
export type Route = {
  readonly endpoint: Endpoint
  readonly handle: (call: never) => Promise<unknown>
}

/** Joins an endpoint with its handler. The handler returns what the endpoint's `response` says, or that as printed JSON, or a download. */
export const route = <E extends Endpoint>(
  endpoint: E,
  handle: (call: Call<E>) => Promise<z.input<E['response']> | JsonText | Download>,
): Route => ({ endpoint, handle: handle as (call: never) => Promise<unknown> })
