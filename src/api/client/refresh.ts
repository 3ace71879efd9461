import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'

/** Trades a refresh token for an access token, and for the next refresh token. */
export const refresh = endpoint({
  id: 'refresh',
  spec: 'client-server-api/#post_matrixclientv3refresh',
  method: 'POST',
  ...withR0('/_matrix/client/v3/refresh'),
  auth: 'none',
  rateLimit: true,
  body: z.looseObject({ refresh_token: z.string() }),
  response: z.object({
    access_token: z.string(),
    expires_in_ms: z.int().optional(),
    refresh_token: z.string().optional(),
  }),
})
