import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { count, eventType, jsonObject, roomId, txnId } from '#api/schema.ts'

/** Sends a message event. */
export const sendMessage = endpoint({
  id: 'sendMessage',
  spec: 'client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/send/{eventType}/{txnId}'),
  auth: 'accessToken',
  guest: true,
  suspended: false,
  bodyKind: 'event',
  params: z.object({ roomId, eventType, txnId }),
  // Of application services: when it was. https://spec.matrix.org/latest/application-service-api/#timestamp-massaging
  query: z.object({ ts: count(Number.MAX_SAFE_INTEGER).optional() }),
  body: jsonObject,
  response: z.object({ event_id: z.string() }),
})
