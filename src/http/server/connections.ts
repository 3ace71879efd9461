import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import type { Clock } from '#util/clock.ts'
import { CORS_HEADERS } from './respond.ts'

// An `import` of a built-in module reads each of its names, and one of these loads a whole HTTP client.
const { createServer } = createRequire(import.meta.url)('node:http') as typeof import('node:http')

// What a connection may cost before and after its requests: heads that never end, answers that nobody reads, bodies that nobody asked for.

/** A connection without a request is ended after this. */
const IDLE_MS = 65_000
/** The head of a request has to be there after this, also the first one of a connection. */
const HEAD_MS = 30_000
/** So often connections are looked at for that. */
const CHECK_MS = 10_000
/** A connection whose client takes nothing of an answer for so long is ended. */
const STALLED_MS = 120_000
/** What of a body was not there when its request was answered may still come for so long, so that the connection can go on. */
const LINGER_MS = 10_000

/** On a connection: its last answer. A property, as a map of thousands of connections costs each collection. */
const ANSWER = Symbol('answer')
type Connection = Socket & { [ANSWER]?: ServerResponse }

/** An HTTP server that bounds what clients can hold, and that answers JSON also to what is no HTTP. */
export const createGuardedServer = (
  clock: Clock,
  listener: RequestListener,
  { stalledMs = STALLED_MS }: { readonly stalledMs?: number } = {},
): Server => {
  const limits = { keepAliveTimeout: IDLE_MS, headersTimeout: HEAD_MS, connectionsCheckingInterval: CHECK_MS }
  // How long a body may take, those say who read it.
  const server = createServer({ ...limits, requestTimeout: 0 })
  // One function for all requests, as thousands wait at once.
  function finished(this: ServerResponse) {
    letGo(this.req, clock)
  }
  const answer: RequestListener = (request, response) => {
    const connection: Connection = request.socket
    connection[ANSWER] = response
    response.on('finish', finished)
    listener(request, response)
  }
  server.on('request', answer)
  // An `Expect` header that nobody knows is no reason to refuse.
  server.on('checkExpectation', answer)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuse(error, socket))
  server.setTimeout(stalledMs, (socket: Socket) => endStalled(socket))
  return server
}

/** Lets the rest of a body go by, for a while. */
function letGo(request: IncomingMessage, clock: Clock): void {
  if (request.complete || request.destroyed) return
  const cancel = clock.after(LINGER_MS, () => request.socket.destroy())
  request.once('close', cancel)
  request.resume()
}

/** Nothing happens on a connection: that may be a request that waits for news, or a client that does not take its answer. */
function endStalled(socket: Socket): void {
  const response = current(socket)
  const isWaiting = response !== undefined && !response.headersSent
  if (!isWaiting) socket.destroy()
}

/** The answer that a connection is at. */
function current(socket: Connection): ServerResponse | undefined {
  const response = socket[ANSWER]
  return response?.writableFinished === true ? undefined : response
}

const REFUSALS: Readonly<Record<string, readonly [status: string, errcode: string, error: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'M_TOO_LARGE', 'the head of the request is too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Payload Too Large', 'M_TOO_LARGE', 'the chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'M_UNKNOWN', 'the head of the request did not come in time'],
}
const MALFORMED = ['400 Bad Request', 'M_UNKNOWN', 'the request is not well-formed HTTP'] as const

/** Answers what is no HTTP request, unless an answer has begun already, and ends the connection. */
function refuse({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.writable && current(socket)?.headersSent !== true) {
    const [status, errcode, error] = REFUSALS[code ?? ''] ?? MALFORMED
    const body = JSON.stringify({ errcode, error })
    const headers = Object.entries({
      ...CORS_HEADERS,
      connection: 'close',
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    })
    socket.write(`HTTP/1.1 ${status}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
  }
  socket.destroySoon()
}
