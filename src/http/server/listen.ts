import { chmodSync, rmSync } from 'node:fs'
import type { IncomingMessage, Server } from 'node:http'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '#util/clock.ts'
import { createGuardedServer } from './connections.ts'

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
  readonly tag: string
}

const settingsOf = new WeakMap<IncomingMessage, ListenerSettings>()

/** Opens a listener for the application, on each of its addresses; resolves to the servers and to where they listen, for humans. */
export const listen = async (
  app: FastifyInstance,
  settings: ListenerSettings,
  clock: Clock,
): Promise<{ readonly server: Server; readonly url: string; readonly port: number | undefined }[]> => {
  await app.ready()
  const places =
    'path' in settings.at ? [settings.at] : settings.at.addresses.map((host) => ({ host, port: portOf(settings) }))
  const opened: { server: Server; url: string; port: number | undefined }[] = []
  for (const place of places) {
    const server = createGuardedServer(clock, (request, response) => {
      settingsOf.set(request, settings)
      app.routing(request, response)
    })
    // Port 0 is one port for all addresses.
    const port = 'port' in place && place.port === 0 ? (opened[0]?.port ?? 0) : undefined
    await open(server, port === undefined ? place : { ...place, port })
    opened.push(whereabouts(server, place))
  }
  return opened
}

const portOf = ({ at }: ListenerSettings): number => ('path' in at ? 0 : at.port)

type Place = { readonly host: string; readonly port: number } | { readonly path: string; readonly mode: number }

const open = (server: Server, place: Place): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    const opened = () => {
      server.off('error', reject)
      if ('path' in place) chmodSync(place.path, place.mode)
      resolve()
    }
    if ('path' in place) {
      rmSync(place.path, { force: true })
      server.listen({ path: place.path }, opened)
    } else server.listen({ host: place.host, port: place.port }, opened)
  })

function whereabouts(server: Server, place: Place): { server: Server; url: string; port: number | undefined } {
  const address = server.address()
  if (typeof address !== 'object' || address === null) {
    return { server, url: `unix:${'path' in place ? place.path : ''}`, port: undefined }
  }
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { server, url: `http://${host}:${address.port}`, port: address.port }
}

/** The client's address: the peer's, or what the trusted proxy says. */
export const clientAddress = (request: IncomingMessage): string => {
  const peer = request.socket.remoteAddress ?? ''
  if (settingsOf.get(request)?.xForwarded !== true) return peer
  const forwarded = request.headers['x-forwarded-for']
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim()
  return first === undefined || first === '' ? peer : first
}

const PREFIXES: readonly (readonly [string, Resource])[] = [
  ['/_matrix/client/', 'client'],
  ['/_matrix/media/', 'media'],
  ['/_matrix/federation/', 'federation'],
  ['/_matrix/key/', 'keys'],
  ['/.well-known/', 'well-known'],
  ['/_synapse/metrics', 'metrics'],
  ['/_synapse/', 'client'],
]

/** Whether the listener that the request came in by serves its path. */
export const isServed = (request: IncomingMessage): boolean => {
  const settings = settingsOf.get(request)
  const [, resource] = PREFIXES.find(([prefix]) => request.url?.startsWith(prefix)) ?? []
  if (settings === undefined || resource === undefined) return true
  const { resources } = settings
  if (resource === 'well-known') return resources.includes('well-known') || resources.includes('client')
  if (resource === 'media') return resources.includes('media') || resources.includes('client')
  if (resource === 'keys') return resources.includes('keys') || resources.includes('federation')
  return resources.includes(resource)
}
