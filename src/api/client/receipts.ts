import * as z from 'zod'
import { endpoint, r0 } from '#api/endpoint.ts'
import { empty, eventId, roomId } from '#api/schema.ts'

const path = '/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}'

/** Says how far the user has read, in a room or in one of its threads. */
export const postReceipt = endpoint({
  id: 'postReceipt',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid',
  method: 'POST',
  path,
  alsoAt: [r0(path)],
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId, receiptType: z.enum(['m.read', 'm.read.private', 'm.fully_read']), eventId }),
  body: z.looseObject({ thread_id: z.string().min(1).max(255).optional() }).optional(),
  response: empty,
})
