import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { deviceDisplayName, deviceId, optional, password } from '#api/schema.ts'
import { authenticationData } from './interactive-auth.ts'

/** Makes an account, after interactive authentication, or one for a guest, without. */
export const register = endpoint({
  id: 'register',
  spec: 'client-server-api/#post_matrixclientv3register',
  method: 'POST',
  ...withR0('/_matrix/client/v3/register'),
  auth: 'none',
  guest: true,
  rateLimit: true,
  query: z.object({ kind: z.enum(['user', 'guest']).default('user') }),
  body: z.looseObject({
    auth: optional(authenticationData),
    // What a name may be, the service says: whatever it cannot be has one error code.
    username: optional(z.string()),
    password: optional(password),
    device_id: optional(deviceId),
    initial_device_display_name: optional(deviceDisplayName),
    inhibit_login: optional(z.boolean()),
    refresh_token: optional(z.boolean()),
    /** `m.login.application_service`, of application services. */
    type: optional(z.string()),
    /** Of a guest who becomes a user. */
    guest_access_token: optional(z.string()),
  }),
  response: z.object({
    access_token: z.string().optional(),
    device_id: z.string().optional(),
    expires_in_ms: z.int().optional(),
    home_server: z.string().optional(),
    refresh_token: z.string().optional(),
    user_id: z.string(),
  }),
})

/** Whether a user name can be had. */
export const checkUsernameAvailability = endpoint({
  id: 'checkUsernameAvailability',
  spec: 'client-server-api/#get_matrixclientv3registeravailable',
  method: 'GET',
  ...withR0('/_matrix/client/v3/register/available'),
  auth: 'none',
  rateLimit: true,
  query: z.object({ username: z.string() }),
  response: z.object({ available: z.boolean().optional() }),
})
