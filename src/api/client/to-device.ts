import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, eventType, jsonObject, txnId } from '#api/schema.ts'

/** Sends messages to devices rather than to a room. */
export const sendToDevice = endpoint({
  id: 'sendToDevice',
  spec: 'client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/sendToDevice/{eventType}/{txnId}'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ eventType, txnId }),
  // By user, by device ID, where `*` stands for all of the user's.
  body: z.looseObject({ messages: z.record(z.string(), z.record(z.string(), jsonObject)) }),
  response: empty,
})
