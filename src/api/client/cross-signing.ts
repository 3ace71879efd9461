import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, jsonObject, optional } from '#api/schema.ts'
import { authenticationData } from './interactive-auth.ts'

/** A cross-signing key. The service checks whose it is, what it is for and who signed it. */
export const crossSigningKey = z.looseObject({
  user_id: z.string(),
  usage: z.array(z.string()),
  keys: z.record(z.string(), z.string()),
  signatures: jsonObject.optional(),
})

/** Publishes the caller's cross-signing keys. Replacing some needs interactive authentication, publishing the first does not. */
export const uploadCrossSigningKeys = endpoint({
  id: 'uploadCrossSigningKeys',
  spec: 'client-server-api/#post_matrixclientv3keysdevice_signingupload',
  method: 'POST',
  ...withR0('/_matrix/client/v3/keys/device_signing/upload', '/_matrix/client/unstable/keys/device_signing/upload'),
  auth: 'accessToken',
  body: z.looseObject({
    auth: optional(authenticationData),
    master_key: optional(crossSigningKey),
    self_signing_key: optional(crossSigningKey),
    user_signing_key: optional(crossSigningKey),
  }),
  response: empty,
})

/** Publishes signatures that the caller made over keys and devices. */
export const uploadCrossSigningSignatures = endpoint({
  id: 'uploadCrossSigningSignatures',
  spec: 'client-server-api/#post_matrixclientv3keyssignaturesupload',
  method: 'POST',
  ...withR0('/_matrix/client/v3/keys/signatures/upload', '/_matrix/client/unstable/keys/signatures/upload'),
  auth: 'accessToken',
  // By user, by key or device ID: what was signed, with its signatures.
  body: z.record(z.string(), z.record(z.string(), jsonObject)),
  response: z.object({ failures: z.record(z.string(), z.record(z.string(), jsonObject)).optional() }),
})
