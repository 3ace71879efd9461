import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'

/** Whose access token it is. */
export const getTokenOwner = endpoint({
  id: 'getTokenOwner',
  spec: 'client-server-api/#get_matrixclientv3accountwhoami',
  method: 'GET',
  ...withR0('/_matrix/client/v3/account/whoami'),
  auth: 'accessToken',
  guest: true,
  rateLimit: true,
  response: z.object({
    user_id: z.string(),
    device_id: z.string().optional(),
    is_guest: z.boolean().optional(),
  }),
})
