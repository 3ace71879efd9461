import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { jsonObject, optional, signatures, token } from '#api/schema.ts'
import { crossSigningKey } from './cross-signing.ts'

const deviceKeys = z.looseObject({
  user_id: z.string(),
  device_id: z.string(),
  algorithms: z.array(z.string()),
  keys: z.record(z.string(), z.string()),
  signatures,
})

const keyObject = z.looseObject({ key: z.string(), signatures: z.record(z.string(), jsonObject) })
const oneTimeKeys = z.record(z.string(), z.union([z.string(), keyObject]))
const failures = z.record(z.string(), jsonObject).optional()
const crossSigningKeys = z.record(z.string(), crossSigningKey).optional()

/** How long to wait for other servers. */
const timeout = optional(z.int().min(0))

/** Publishes the encryption keys of the caller's device. */
export const uploadKeys = endpoint({
  id: 'uploadKeys',
  spec: 'client-server-api/#post_matrixclientv3keysupload',
  method: 'POST',
  ...withR0('/_matrix/client/v3/keys/upload'),
  auth: 'accessToken',
  guest: true,
  body: z.looseObject({
    device_keys: optional(deviceKeys),
    one_time_keys: optional(oneTimeKeys),
    fallback_keys: optional(oneTimeKeys),
    // The name of the proposal, for clients that know no other.
    'org.matrix.msc2732.fallback_keys': optional(oneTimeKeys),
  }),
  response: z.object({ one_time_key_counts: z.record(z.string(), z.int()) }),
})

/** The devices of users with their keys, and the users' cross-signing keys. */
export const queryKeys = endpoint({
  id: 'queryKeys',
  spec: 'client-server-api/#post_matrixclientv3keysquery',
  method: 'POST',
  ...withR0('/_matrix/client/v3/keys/query'),
  auth: 'accessToken',
  guest: true,
  // By user, whose servers are asked; no devices: all of them.
  body: z.looseObject({ device_keys: z.record(z.string(), z.array(z.string())), timeout }),
  response: z.object({
    device_keys: z
      .record(
        z.string(),
        z.record(
          z.string(),
          deviceKeys.extend({ unsigned: z.looseObject({ device_display_name: z.string().optional() }).optional() }),
        ),
      )
      .optional(),
    failures,
    master_keys: crossSigningKeys,
    self_signing_keys: crossSigningKeys,
    user_signing_keys: crossSigningKeys,
  }),
})

/** Takes a one-time key of each of some devices. */
export const claimKeys = endpoint({
  id: 'claimKeys',
  spec: 'client-server-api/#post_matrixclientv3keysclaim',
  method: 'POST',
  ...withR0('/_matrix/client/v3/keys/claim'),
  auth: 'accessToken',
  guest: true,
  // By user, by device: the algorithm.
  body: z.looseObject({ one_time_keys: z.record(z.string(), z.record(z.string(), z.string())), timeout }),
  response: z.object({
    failures,
    one_time_keys: z.record(z.string(), z.record(z.string(), oneTimeKeys)),
  }),
})

/** Whose devices changed between two syncs. */
export const getKeysChanges = endpoint({
  id: 'getKeysChanges',
  spec: 'client-server-api/#get_matrixclientv3keyschanges',
  method: 'GET',
  ...withR0('/_matrix/client/v3/keys/changes'),
  auth: 'accessToken',
  query: z.object({ from: token, to: token }),
  response: z.object({ changed: z.array(z.string()).optional(), left: z.array(z.string()).optional() }),
})
