import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, eventId, optional, roomId } from '#api/schema.ts'

/** Says how far the user has read, in a room or in one of its threads. */
export const postReceipt = endpoint({
  id: 'postReceipt',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId, receiptType: z.enum(['m.read', 'm.read.private', 'm.fully_read']), eventId }),
  body: z.looseObject({ thread_id: optional(z.string().min(1).max(255)) }).optional(),
  response: empty,
})
