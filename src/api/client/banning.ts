import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, optional, roomId, userId } from '#api/schema.ts'

const body = z.looseObject({ user_id: userId, reason: optional(z.string()) })

/** Bans a user from a room, and kicks them where they are in it. */
export const ban = endpoint({
  id: 'ban',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidban',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/ban'),
  auth: 'accessToken',
  suspended: false,
  params: z.object({ roomId }),
  body,
  response: empty,
})

/** Lifts a ban, without inviting the user back. */
export const unban = endpoint({
  id: 'unban',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidunban',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/unban'),
  auth: 'accessToken',
  suspended: false,
  params: z.object({ roomId }),
  body,
  response: empty,
})
