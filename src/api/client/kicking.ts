import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, optional, roomId, userId } from '#api/schema.ts'

/** Removes a user from a room, or takes back an invitation. */
export const kick = endpoint({
  id: 'kick',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidkick',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/kick'),
  auth: 'accessToken',
  suspended: false,
  params: z.object({ roomId }),
  body: z.looseObject({ user_id: userId, reason: optional(z.string()) }),
  response: empty,
})
