import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, eventId, optional, roomId } from '#api/schema.ts'

/** Moves the marker of what is read, and with it receipts. */
export const setReadMarker = endpoint({
  id: 'setReadMarker',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidread_markers',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/read_markers'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId }),
  body: z.looseObject({
    'm.fully_read': optional(eventId),
    'm.read': optional(eventId),
    'm.read.private': optional(eventId),
  }),
  response: empty,
})
