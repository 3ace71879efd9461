import type { IncomingMessage, Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '#util/clock.ts'
import { createGuardedServer } from './connections.ts'
import { CannotListen, openSocket, type Place } from './open-socket.ts'

/** What a listener serves, as in the configuration. */
export type Resource =
  | 'well-known'
  | 'client'
  | 'federation'
  | 'keys'
  | 'media'
  | 'metrics'
  | 'health'
  | 'consent'
  | 'static'
  | 'openid'
  | 'replication'

/** Where to listen and what for. */
export type ListenerSettings = {
  readonly at:
    | { readonly port: number; readonly addresses: readonly string[] }
    | { readonly path: string; readonly mode: number }
  readonly resources: readonly Resource[]
  /** The proxy before us says who the client is, in `X-Forwarded-For`. */
  readonly xForwarded: boolean
  /** The header, in lower case, whose value names a request in the log. */
  readonly requestIdHeader: string | undefined
  /** The listener's name in the log. */
  readonly tag: string
}

/** A socket that is open, and where, for humans. */
export type OpenListener = { readonly server: Server; readonly url: string; readonly port: number | undefined }

/** On a request: the listener that it came in by. A property, as a map of requests that live shortly costs each collection. */
const LISTENER = Symbol('listener')
type Received = IncomingMessage & { [LISTENER]?: ListenerSettings }
const settingsOf = (request: Received): ListenerSettings | undefined => request[LISTENER]

/**
 * Opens a listener for the application, on each of its addresses. An address that the machine does not have is left out and told of, as
 * long as there is another one; throws `CannotListen` for anything else.
 */
export const listen = async (
  app: FastifyInstance,
  settings: ListenerSettings,
  { clock, leftOut }: { readonly clock: Clock; readonly leftOut: (reason: CannotListen) => void },
): Promise<OpenListener[]> => {
  await app.ready()
  const opened: OpenListener[] = []
  const absent: CannotListen[] = []
  try {
    for (const place of placesOf(settings)) {
      // Port 0 is one port for all addresses.
      const at = 'port' in place && place.port === 0 ? { ...place, port: opened[0]?.port ?? 0 } : place
      const result = await openAt(app, settings, { place: at, clock })
      if (result instanceof CannotListen) absent.push(result)
      else opened.push(result)
    }
    if (opened.length === 0 && absent[0] !== undefined) throw absent[0]
  } catch (error) {
    for (const { server } of opened) server.close()
    throw error
  }
  for (const reason of absent) leftOut(reason)
  return opened
}

async function openAt(
  app: FastifyInstance,
  settings: ListenerSettings,
  { place, clock }: { readonly place: Place; readonly clock: Clock },
): Promise<OpenListener | CannotListen> {
  const server = createGuardedServer(clock, (request: Received, response) => {
    request[LISTENER] = settings
    app.routing(request, response)
  })
  try {
    await openSocket(server, place)
    return whereabouts(server, place)
  } catch (error) {
    if (error instanceof CannotListen && error.isNoAddress) return error
    throw error
  }
}

function placesOf({ at }: ListenerSettings): readonly Place[] {
  if ('path' in at) return [at]
  // Alone, `::` takes the addresses of both kinds.
  const isIpv6Only = at.addresses.includes('0.0.0.0')
  return at.addresses.map((host) => ({ host, port: at.port, isIpv6Only }))
}

function whereabouts(server: Server, place: Place): OpenListener {
  const address = server.address()
  if (typeof address !== 'object' || address === null) {
    return { server, url: `unix:${'path' in place ? place.path : ''}`, port: undefined }
  }
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { server, url: `http://${host}:${address.port}`, port: address.port }
}

/** The name of the listener that the request came in by. */
export const listenerTag = (request: IncomingMessage): string => settingsOf(request)?.tag ?? ''

const MAX_REQUEST_ID = 128

/** What a trusted header calls the request in the log, where the listener has such a header. */
export const givenRequestId = (request: IncomingMessage): string | undefined => {
  const header = settingsOf(request)?.requestIdHeader
  const given = header === undefined ? undefined : request.headers[header]
  return typeof given === 'string' && given !== '' ? given.slice(0, MAX_REQUEST_ID) : undefined
}

/** The client's address: the peer's, or what the trusted proxy says. */
export const clientAddress = (request: IncomingMessage): string => {
  const peer = request.socket.remoteAddress ?? ''
  if (settingsOf(request)?.xForwarded !== true) return peer
  const forwarded = request.headers['x-forwarded-for']
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim()
  return first === undefined || first === '' ? peer : first
}

const PREFIXES: readonly (readonly [string, Resource])[] = [
  ['/_matrix/client/v1/media/', 'media'],
  ['/_matrix/client/', 'client'],
  ['/_matrix/media/', 'media'],
  ['/_matrix/federation/', 'federation'],
  ['/_matrix/key/', 'keys'],
  ['/.well-known/', 'well-known'],
  ['/_synapse/metrics', 'metrics'],
  ['/metrics', 'metrics'],
  ['/_synapse/', 'client'],
]

/** By path of a route: there are no more than there are routes. */
const resources = new Map<string, Resource | undefined>()

function resourceAt(path: string): Resource | undefined {
  const known = resources.get(path)
  if (known !== undefined || resources.has(path)) return known
  const [, resource] = PREFIXES.find(([prefix]) => path.startsWith(prefix)) ?? []
  resources.set(path, resource)
  return resource
}

/**
 * Whether the listener that the request came in by serves a path: that of the route that was found, as what clients write can be spelt in
 * many ways.
 */
export const isServed = (request: IncomingMessage, path: string): boolean => {
  const settings = settingsOf(request)
  const resource = resourceAt(path)
  if (settings === undefined || resource === undefined) return true
  const served = settings.resources
  if (resource === 'well-known') return served.includes('well-known') || served.includes('client')
  if (resource === 'media') return served.includes('media') || served.includes('client')
  if (resource === 'keys') return served.includes('keys') || served.includes('federation')
  return served.includes(resource)
}
