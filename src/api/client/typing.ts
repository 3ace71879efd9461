import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, optional, roomId, userId } from '#api/schema.ts'

/** Says that the user writes, or does so no more. */
export const setTyping = endpoint({
  id: 'setTyping',
  spec: 'client-server-api/#put_matrixclientv3roomsroomidtypinguserid',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/typing/{userId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId, userId }),
  /** `timeout`: for how many milliseconds. */
  body: z.looseObject({ typing: z.boolean(), timeout: optional(z.int().min(0)) }),
  response: empty,
})
