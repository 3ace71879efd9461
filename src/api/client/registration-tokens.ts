import * as z from 'zod'
import { endpoint } from '#api/endpoint.ts'

/** Whether one can register with a token now. */
export const registrationTokenValidity = endpoint({
  id: 'registrationTokenValidity',
  spec: 'client-server-api/#get_matrixclientv1registermloginregistration_tokenvalidity',
  method: 'GET',
  path: '/_matrix/client/v1/register/m.login.registration_token/validity',
  auth: 'none',
  rateLimit: true,
  query: z.object({ token: z.string() }),
  response: z.object({ valid: z.boolean() }),
})
