import * as z from 'zod'
import { endpoint } from '#api/endpoint.ts'

/** The versions of the specification that this server speaks, and what it does beyond. Some users may have more of that. */
export const getVersions = endpoint({
  id: 'getVersions',
  spec: 'client-server-api/#get_matrixclientversions',
  method: 'GET',
  path: '/_matrix/client/versions',
  auth: 'accessTokenOptional',
  guest: true,
  response: z.object({
    versions: z.array(z.string()),
    unstable_features: z.record(z.string(), z.boolean()).optional(),
  }),
})
