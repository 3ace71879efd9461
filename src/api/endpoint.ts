import type * as z from 'zod'

/**
 * Who may call: `none`; `accessToken`; `accessTokenOptional` (the answer may be fuller with one); `admin` (an access token of a server
 * administrator).
 */
export type Auth = 'none' | 'accessToken' | 'accessTokenOptional' | 'admin'

/** How a request's body is read: as JSON, as JSON whose numbers must not lose anything (it becomes part of an event), or as bytes. */
export type BodyKind = 'json' | 'event' | 'bytes'

type Schema = z.ZodType

/**
 * An endpoint as the specification declares it, once: validation, types of handlers, the typed test client, coverage and documents are
 * derived from it.
 */
export type Endpoint<
  Params extends Schema = Schema,
  Query extends Schema = Schema,
  Body extends Schema = Schema,
  Response extends Schema = Schema,
  A extends Auth = Auth,
> = {
  /** The specification's `operationId`. */
  readonly id: string
  /** Path and anchor below https://spec.matrix.org/latest/, or a whole URL where another document declares it. */
  readonly spec: string
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** The template with `{parameters}`. */
  readonly path: string
  /**
   * Further paths that answer alike: older versions, unstable names, spellings with and without a trailing slash. A parameter that one of
   * them lacks has a default in `params`.
   */
  readonly alsoAt: readonly string[]
  readonly auth: A
  /** Guests may call it. */
  readonly guest: boolean
  /** Users may call it while they are suspended. */
  readonly suspended: boolean
  /** Users may call it while they are locked. */
  readonly locked: boolean
  /** The specification says that it may answer 429. */
  readonly rateLimit: boolean
  readonly bodyKind: BodyKind
  /** The largest body in bytes, where it is not the usual one. */
  readonly maxBodyBytes: number | undefined
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly response: Response
}

type Declared<
  P extends Schema,
  Q extends Schema,
  B extends Schema,
  R extends Schema,
  A extends Auth,
  K extends BodyKind,
> = Pick<Endpoint<P, Q, B, R, A>, 'id' | 'spec' | 'method' | 'path' | 'auth' | 'response'> &
  Partial<Pick<Endpoint<P, Q, B, R, A>, 'alsoAt' | 'guest' | 'suspended' | 'locked' | 'rateLimit' | 'maxBodyBytes'>> & {
    readonly bodyKind?: K
    readonly params?: P
    readonly query?: Q
    readonly body?: B
  }

type Nothing = z.ZodUndefined

/** Declares an endpoint. What is left out: no parameters, JSON, the usual size, not for guests, open to suspended users, closed to locked ones. */
export const endpoint = <
  const A extends Auth,
  R extends Schema,
  P extends Schema = Nothing,
  Q extends Schema = Nothing,
  B extends Schema = Nothing,
  const K extends BodyKind = 'json',
>(
  declared: Declared<P, Q, B, R, A, K>,
): Endpoint<P, Q, B, R, A> & { readonly bodyKind: K } => ({
  alsoAt: [],
  guest: false,
  suspended: true,
  locked: false,
  rateLimit: false,
  maxBodyBytes: undefined,
  ...declared,
  bodyKind: (declared.bodyKind ?? 'json') as K,
  params: declared.params as P,
  query: declared.query as Q,
  body: declared.body as B,
})

/** The paths at which a stable client path of version 3 was served before: `r0`. */
export const r0 = (path: string): string => path.replace('/_matrix/client/v3/', '/_matrix/client/r0/')

/** A path of version 3 and what else answers alike: the same below `r0`, and `more` paths, likewise. To be spread into a declaration. */
export const withR0 = (
  path: string,
  ...more: readonly string[]
): { readonly path: string; readonly alsoAt: readonly string[] } => ({
  path,
  alsoAt: [...new Set([r0(path), ...more, ...more.map(r0)])],
})
