import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { optional, roomId, roomIdOrAlias, signatures, strings, userId } from '#api/schema.ts'

/** What proves that an invitation to an address was meant for the one who joins. */
const thirdPartySigned = z.looseObject({ sender: z.string(), mxid: userId, token: z.string(), signatures })

const body = z.looseObject({ reason: optional(z.string()), third_party_signed: optional(thirdPartySigned) }).optional()

const response = z.object({ room_id: z.string() })

/** Joins a room by its ID or an alias, through other servers where this one is not in it. */
export const joinRoom = endpoint({
  id: 'joinRoom',
  spec: 'client-server-api/#post_matrixclientv3joinroomidoralias',
  method: 'POST',
  ...withR0('/_matrix/client/v3/join/{roomIdOrAlias}'),
  auth: 'accessToken',
  suspended: false,
  rateLimit: true,
  params: z.object({ roomIdOrAlias }),
  // `server_name` is what `via` was called up to v1.13.
  query: z.object({ via: strings.optional(), server_name: strings.optional() }),
  body,
  response,
})

/** Joins a room by its ID. */
export const joinRoomById = endpoint({
  id: 'joinRoomById',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidjoin',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/join'),
  auth: 'accessToken',
  guest: true,
  suspended: false,
  rateLimit: true,
  params: z.object({ roomId }),
  body,
  response,
})
