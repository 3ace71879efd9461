import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, eventId, optional, roomId } from '#api/schema.ts'

/** `main` or the root of a thread. What is no text is out of range here, as the specification has it, rather than of a wrong type. */
const threadId = z
  .unknown()
  .refine((value) => typeof value === 'string' && value !== '' && value.length <= 255, {
    error: 'expected a text of 1 to 255 characters',
  })
  .meta({ type: 'string', minLength: 1, maxLength: 255 }) as unknown as z.ZodType<string, string>

/** Says how far the user has read, in a room or in one of its threads. */
export const postReceipt = endpoint({
  id: 'postReceipt',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/receipt/{receiptType}/{eventId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId, receiptType: z.enum(['m.read', 'm.read.private', 'm.fully_read']), eventId }),
  body: z.looseObject({ thread_id: optional(threadId) }).optional(),
  response: empty,
})
