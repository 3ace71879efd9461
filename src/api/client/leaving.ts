import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, optional, roomId } from '#api/schema.ts'

/** Leaves a room, or rejects an invitation. */
export const leaveRoom = endpoint({
  id: 'leaveRoom',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidleave',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/leave'),
  auth: 'accessToken',
  guest: true,
  rateLimit: true,
  params: z.object({ roomId }),
  body: z.looseObject({ reason: optional(z.string()) }).optional(),
  response: empty,
})

/** Forgets a room that was left: its history is gone for the caller. */
export const forgetRoom = endpoint({
  id: 'forgetRoom',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidforget',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/forget'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId }),
  response: empty,
})
