import * as z from 'zod'
import { endpoint } from '#api/endpoint.ts'

const server = z.object({ base_url: z.string() })

/** Where the services of a server name are. Further ones stand beside those the specification knows. */
export const discoveryInformation = z.looseObject({
  'm.homeserver': server,
  'm.identity_server': server.optional(),
})

/** Where the services of this server name are. */
export const getWellknown = endpoint({
  id: 'getWellknown',
  spec: 'client-server-api/#getwell-knownmatrixclient',
  method: 'GET',
  path: '/.well-known/matrix/client',
  auth: 'none',
  response: discoveryInformation,
})
