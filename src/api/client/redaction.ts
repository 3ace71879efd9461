import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { eventId, jsonObject, roomId, txnId } from '#api/schema.ts'

/** Strips an event of what it says. While they are suspended, users may redact their own events only, which the service decides. */
export const redactEvent = endpoint({
  id: 'redactEvent',
  spec: 'client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/redact/{eventId}/{txnId}'),
  auth: 'accessToken',
  bodyKind: 'event',
  params: z.object({ roomId, eventId, txnId }),
  body: jsonObject.optional(),
  response: z.object({ event_id: z.string().optional() }),
})
