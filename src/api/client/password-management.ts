import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, optional, password } from '#api/schema.ts'
import { authenticationData } from './interactive-auth.ts'

/** Changes the password, after interactive authentication, which is also the way for those who forgot it and have no token. */
export const changePassword = endpoint({
  id: 'changePassword',
  spec: 'client-server-api/#post_matrixclientv3accountpassword',
  method: 'POST',
  ...withR0('/_matrix/client/v3/account/password'),
  auth: 'accessTokenOptional',
  rateLimit: true,
  body: z.looseObject({
    auth: optional(authenticationData),
    new_password: password,
    logout_devices: optional(z.boolean()),
  }),
  response: empty,
})
