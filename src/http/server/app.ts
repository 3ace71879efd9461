import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import 'zod/compile'
import type * as z from 'zod'
import type { Endpoint } from '#api/endpoint.ts'
import { errorOfIssues, type RequestPart } from '#api/issues.ts'
import type { Requester } from '#api/requester.ts'
import { invalidParam, methodNotAllowed, unrecognized } from '#protocol/errors.ts'
import type { Clock } from '#util/clock.ts'
import { inLogContext, newLogContext } from '#util/log-context.ts'
import type { Logger } from '#util/logger.ts'
import { type Answered, overviewOf } from './answered.ts'
import { MAX_BODY_BYTES, parseBody, readBody } from './body.ts'
import { knownPaths } from './known-paths.ts'
import { clientAddress, isServed } from './listen.ts'
import { send, sendError, sendJson, writeJson } from './respond.ts'
import type { Caller, Route, Upload } from './route.ts'

/**
 * Finds out who asks, at once where memory knows. Throws MatrixErrors for tokens that are missing or unknown and for users who may not call
 * the endpoint.
 */
export type Authenticate = (
  token: string | undefined,
  request: {
    readonly query: Readonly<Record<string, unknown>>
    readonly caller: Caller
    readonly endpoint: Endpoint
  },
) => Requester | undefined | Promise<Requester | undefined>

type Deps = {
  readonly routes: readonly Route[]
  readonly authenticate: Authenticate
  /** Throws when the server has more to do than it can: admission control. */
  readonly admit: (endpoint: Endpoint) => void
  /** Called for each request that an endpoint begins to answer. */
  readonly began: (endpointId: string) => void
  readonly answered: Answered
  readonly log: Logger
  readonly clock: Clock
  /** Names a request in the log. */
  readonly requestId: (request: IncomingMessage) => string
}

const noSchema = (): never => {
  throw new Error('routes have no schemas of Fastify')
}

type Act = (request: FastifyRequest, reply: FastifyReply) => void

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers a request to the route. */
    act?: Act
  }
}

/** An application that listens nowhere yet. */
export type App = FastifyInstance

/** The HTTP application: every route with its checks. It listens nowhere by itself. */
export const createApp = (deps: Deps): FastifyInstance => {
  const app = fastify({
    logger: false,
    trustProxy: false,
    bodyLimit: Number.MAX_SAFE_INTEGER,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    routerOptions: {
      // The head of a request is bounded; what a parameter may be, the endpoint says.
      maxParamLength: 65_536,
      ignoreTrailingSlash: false,
      // A path that is no percent-encoded UTF-8 reaches no route.
      onBadUrl: (_path, _request, response) => {
        const error = invalidParam('the path is not percent-encoded UTF-8')
        writeJson(response as ServerResponse, error.status, JSON.stringify(error))
      },
    },
    // Endpoints check what comes and print what goes; with these, Fastify need not load what would.
    schemaController: { compilersFactory: { buildValidator: () => noSchema, buildSerializer: () => noSchema } },
    genReqId: (request) => deps.requestId(request as IncomingMessage),
  })
  app.decorateRequest('endpointId', '')
  app.decorateRequest('userId', undefined)
  app.decorateRequest('startedAt', 0)
  app.decorateRequest('readyAt', 0)
  app.decorateRequest('answerBytes', undefined)
  app.decorateRequest('work', undefined)
  app.decorateRequest('waiting', undefined)
  addHooks(app, deps)
  addRoutes(app, deps)
  return app
}

function addHooks(app: FastifyInstance, deps: Deps): void {
  const templateOf = knownPaths(new Set(deps.routes.flatMap(({ endpoint }) => [endpoint.path, ...endpoint.alsoAt])))
  // Answered here, before Fastify looks at the body: how one is read, whatever its header says, the endpoint says.
  app.addHook('onRequest', (request, reply) => {
    request.startedAt = performance.now()
    // Not `once`, which holds more of each request that waits; a response closes one time.
    reply.raw.on('close', () => {
      if (!reply.raw.writableFinished) request.waiting?.cancel()
      deps.answered(overviewOf(request, reply))
    })
    // Made anew each time that it is asked for.
    const { url, config } = request.routeOptions
    const template = url ?? templateOf(request.url.split('?', 1)[0] ?? '')
    if (!isServed(request.raw, template ?? '')) {
      sendError(reply, unrecognized('There is nothing at this path here'), deps.log)
    } else if (request.method === 'OPTIONS') sendJson(reply, 200, '{}')
    else if (template === undefined) sendError(reply, unrecognized('There is nothing at this path'), deps.log)
    else if (url === undefined) sendError(reply, methodNotAllowed('This path has no such method'), deps.log)
    else config.act?.(request, reply)
  })
  app.setNotFoundHandler(unreached)
  app.setErrorHandler((error, _request, reply) => {
    const status = (error as { statusCode?: number }).statusCode
    // What Fastify itself finds wrong with a request, such as a broken URL or length.
    const known = status !== undefined && status >= 400 && status < 500
    sendError(reply, known ? invalidParam('the request is not well-formed HTTP') : error, deps.log)
  })
}

function addRoutes(app: FastifyInstance, deps: Deps): void {
  for (const route of deps.routes) {
    const { method, path, alsoAt } = route.endpoint
    for (const template of [path, ...alsoAt]) {
      const url = template.replaceAll(/\{([A-Za-z]+)\}/g, ':$1')
      app.route({ method, url, handler: unreached, config: { act: acting(route, deps) } })
    }
  }
}

const unreached = (): never => {
  throw new Error('requests are answered by a hook')
}

function acting(route: Route, deps: Deps): Act {
  const { endpoint } = route
  return (request, reply) => {
    request.endpointId = endpoint.id
    const work = newLogContext(request.id)
    request.work = work
    deps.began(endpoint.id)
    void inLogContext(work, () =>
      settle(reply, begun(route, request, new RequestCaller(request, reply), deps), deps.log),
    )
  }
}

/** Sends what a handler returns or throws. It holds nothing of what was asked: that may take as long as a client waits for news. */
async function settle(reply: FastifyReply, answering: Promise<unknown>, log: Logger): Promise<void> {
  const { request } = reply
  try {
    const answered = await answering
    request.readyAt = performance.now()
    send(reply, answered)
  } catch (error) {
    request.readyAt = performance.now()
    sendError(reply, error, log)
  }
}

/** Begins to answer. Most requests wait for nothing before their handler is called, and most of all requests are such. */
function begun(route: Route, request: FastifyRequest, caller: Caller, deps: Deps): Promise<unknown> {
  const { endpoint } = route
  try {
    const found = authenticated(endpoint, request, caller, deps)
    if (found instanceof Promise || takesBody(endpoint, request)) return answer(route, request, { caller, found }, deps)
    deps.admit(endpoint)
    return handled(route, request, { requester: noted(request, found), caller, body: undefined })
  } catch (error) {
    return Promise.reject(error)
  }
}

async function answer(
  route: Route,
  request: FastifyRequest,
  { caller, found }: { readonly caller: Caller; readonly found: ReturnType<Authenticate> },
  deps: Deps,
): Promise<unknown> {
  // The body comes after the token: what strangers send need not be held.
  const requester = noted(request, await found)
  deps.admit(route.endpoint)
  const body = await readRequestBody(route.endpoint, request, deps.clock)
  return handled(route, request, { requester, caller, body })
}

type Read = { readonly requester: Requester | undefined; readonly caller: Caller; readonly body: unknown }

/** Calls the handler with what was asked, checked. */
function handled({ endpoint, handle }: Route, request: FastifyRequest, { requester, caller, body }: Read) {
  const call = {
    requester,
    params: checked(endpoint.params, request.params, 'path'),
    query: checked(endpoint.query, request.query, 'query'),
    body: endpoint.bodyKind === 'bytes' ? body : checked(endpoint.body, body, 'body'),
    caller,
  }
  return handle(call as never)
}

function authenticated(endpoint: Endpoint, request: FastifyRequest, caller: Caller, deps: Deps) {
  if (endpoint.auth === 'none') return undefined
  return deps.authenticate(tokenOf(request), { query: request.query as Record<string, unknown>, caller, endpoint })
}

function noted(request: FastifyRequest, requester: Requester | undefined): Requester | undefined {
  request.userId = requester?.userId
  return requester
}

function tokenOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization
  if (header !== undefined) {
    const [scheme, token] = header.split(' ', 2)
    return scheme?.toLowerCase() === 'bearer' ? token : undefined
  }
  const inQuery = (request.query as Record<string, unknown>)['access_token']
  return typeof inQuery === 'string' ? inQuery : undefined
}

const takesBody = (endpoint: Endpoint, request: FastifyRequest): boolean =>
  endpoint.bodyKind === 'bytes' || request.method !== 'GET'

async function readRequestBody(endpoint: Endpoint, request: FastifyRequest, { after }: Clock): Promise<unknown> {
  if (!takesBody(endpoint, request)) return undefined
  if (endpoint.bodyKind === 'bytes') return uploadOf(request.raw, request.headers['content-type'])
  const bytes = await readBody(request.raw, endpoint.maxBodyBytes ?? MAX_BODY_BYTES, after)
  return endpoint.body === undefined ? undefined : parseBody(bytes, endpoint.bodyKind === 'event')
}

const uploadOf = (raw: IncomingMessage, contentType: string | undefined): Upload => ({
  stream: raw instanceof Readable ? raw : Readable.from([]),
  contentType,
  contentLength: raw.headers['content-length'] === undefined ? undefined : Number(raw.headers['content-length']),
})

function checked(schema: z.ZodType | undefined, input: unknown, part: RequestPart): unknown {
  if (schema === undefined) return undefined
  const result = schema.safeParse(input)
  if (!result.success) throw errorOfIssues(result.error.issues, input, part)
  return result.data
}

/** What is known of a request's caller. A class, as thousands wait at once. */
class RequestCaller implements Caller {
  readonly ip: string
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#request = request
    this.#reply = reply
    this.ip = clientAddress(request.raw)
  }

  get hasToken(): boolean {
    return tokenOf(this.#request) !== undefined
  }

  get userAgent(): string | undefined {
    return this.#request.headers['user-agent']
  }

  get range(): string | undefined {
    return this.#request.headers.range
  }

  get isGone(): boolean {
    return isCutOff(this.#reply)
  }

  get waiting(): Caller['waiting'] {
    return this.#request.waiting
  }

  set waiting(waiting: Caller['waiting']) {
    this.#request.waiting = waiting
  }
}

/** The connection is closed, and not all of an answer went out. */
const isCutOff = ({ raw }: FastifyReply): boolean => raw.destroyed && !raw.writableFinished
