import * as z from 'zod'
import { optional } from '#api/schema.ts'

/**
 * Whom to invite by an address. The operation `inviteBy3PID` shares its route with `inviteUser`, which declares both.
 * https://spec.matrix.org/latest/client-server-api/#post_matrixclientv3roomsroomidinvite-1
 */
export const thirdPartyInvite = z.looseObject({
  /** Absent: with it, the body is one of `inviteUser`. */
  user_id: z.undefined().optional(),
  id_server: z.string(),
  id_access_token: z.string(),
  medium: z.string(),
  address: z.string(),
  reason: optional(z.string()),
})
