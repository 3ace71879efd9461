import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, optional, roomId, userId } from '#api/schema.ts'
import { thirdPartyInvite } from './third-party-membership.ts'

const byUserId = z.looseObject({ user_id: userId, reason: optional(z.string()) })

/**
 * Invites a user to a room. The specification's `inviteBy3PID` is the same route: it invites whoever has an address, and is told apart by
 * its body, which has no `user_id`.
 */
export const inviteUser = endpoint({
  id: 'inviteUser',
  spec: 'client-server-api/#post_matrixclientv3roomsroomidinvite',
  method: 'POST',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/invite'),
  auth: 'accessToken',
  suspended: false,
  rateLimit: true,
  params: z.object({ roomId }),
  body: z.union([byUserId, thirdPartyInvite]),
  response: empty,
})
