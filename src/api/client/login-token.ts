import * as z from 'zod'
import { endpoint } from '#api/endpoint.ts'
import { optional } from '#api/schema.ts'
import { authenticationData } from './interactive-auth.ts'

/** Makes a token by which another device of the caller logs in, once and soon, after interactive authentication. */
export const generateLoginToken = endpoint({
  id: 'generateLoginToken',
  spec: 'client-server-api/#post_matrixclientv1loginget_token',
  method: 'POST',
  path: '/_matrix/client/v1/login/get_token',
  auth: 'accessToken',
  rateLimit: true,
  body: z.looseObject({ auth: optional(authenticationData) }),
  response: z.object({ login_token: z.string(), expires_in_ms: z.int() }),
})
