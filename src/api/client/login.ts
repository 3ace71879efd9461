import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { deviceDisplayName, deviceId, optional, password } from '#api/schema.ts'
import { discoveryInformation } from './wellknown.ts'

/** The ways to log in. What a flow has beside its type is its own. */
export const getLoginFlows = endpoint({
  id: 'getLoginFlows',
  spec: 'client-server-api/#get_matrixclientv3login',
  method: 'GET',
  ...withR0('/_matrix/client/v3/login'),
  auth: 'none',
  rateLimit: true,
  response: z.object({
    flows: z.array(z.looseObject({ type: z.string(), get_login_token: z.boolean().optional() })).optional(),
  }),
})

/** Logs in on a device, which is made where it is new. */
export const login = endpoint({
  id: 'login',
  spec: 'client-server-api/#post_matrixclientv3login',
  method: 'POST',
  ...withR0('/_matrix/client/v3/login'),
  auth: 'none',
  rateLimit: true,
  body: z.looseObject({
    type: z.string(),
    // What else belongs to an identifier depends on its type: `user`; `medium`, `address`; `country`, `phone`.
    identifier: optional(z.looseObject({ type: z.string() })),
    // The deprecated spellings of an identifier.
    user: optional(z.string()),
    medium: optional(z.string()),
    address: optional(z.string()),
    password: optional(password),
    token: optional(z.string()),
    device_id: optional(deviceId),
    initial_device_display_name: optional(deviceDisplayName),
    refresh_token: optional(z.boolean()),
  }),
  response: z.object({
    access_token: z.string(),
    device_id: z.string(),
    expires_in_ms: z.int().optional(),
    home_server: z.string().optional(),
    refresh_token: z.string().optional(),
    user_id: z.string(),
    well_known: discoveryInformation.optional(),
  }),
})
