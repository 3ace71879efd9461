import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { clientEvent, count, roomId, token } from '#api/schema.ts'

/** A page of a room's history. */
export const getRoomEvents = endpoint({
  id: 'getRoomEvents',
  spec: 'client-server-api/#get_matrixclientv3roomsroomidmessages',
  method: 'GET',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/messages'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ roomId }),
  query: z.object({
    dir: z.enum(['b', 'f']),
    from: token.optional(),
    to: token.optional(),
    limit: count(1000).optional(),
    filter: z.string().optional(),
  }),
  response: z.object({
    start: z.string(),
    end: z.string().optional(),
    chunk: z.array(clientEvent),
    state: z.array(clientEvent).optional(),
  }),
})
