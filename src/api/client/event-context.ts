import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { clientEvent, count, eventId, roomId } from '#api/schema.ts'

/** An event with those around it, and the state there. */
export const getEventContext = endpoint({
  id: 'getEventContext',
  spec: 'client-server-api/#get_matrixclientv3roomsroomidcontexteventid',
  method: 'GET',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/context/{eventId}'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ roomId, eventId }),
  query: z.object({ filter: z.string().optional(), limit: count(1000).optional() }),
  response: z.object({
    start: z.string().optional(),
    end: z.string().optional(),
    event: clientEvent.optional(),
    events_before: z.array(clientEvent).optional(),
    events_after: z.array(clientEvent).optional(),
    state: z.array(clientEvent).optional(),
  }),
})
