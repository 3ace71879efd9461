import * as z from 'zod'
import { endpoint } from '#api/endpoint.ts'
import { optional, password } from '#api/schema.ts'

// Synapse's registration for whoever knows the secret of the server.
const spec = 'https://element-hq.github.io/synapse/latest/admin_api/register_api.html'
const path = '/_synapse/admin/v1/register'

/** A nonce for one registration; it lasts a minute. */
export const getRegistrationNonce = endpoint({
  id: 'getRegistrationNonce',
  spec,
  method: 'GET',
  path,
  auth: 'none',
  response: z.object({ nonce: z.string() }),
})

/** Makes an account for whoever knows the secret of the server, and logs it in. `mac` proves it: see `registrationMac`. */
export const registerWithSharedSecret = endpoint({
  id: 'registerWithSharedSecret',
  spec,
  method: 'POST',
  path,
  auth: 'none',
  body: z.looseObject({
    nonce: z.string(),
    username: z.string(),
    displayname: optional(z.string()),
    password,
    admin: optional(z.boolean()),
    user_type: optional(z.string()),
    mac: z.string(),
  }),
  response: z.object({
    access_token: z.string(),
    user_id: z.string(),
    home_server: z.string(),
    device_id: z.string(),
  }),
})
