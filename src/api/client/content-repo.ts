import * as z from 'zod'
import { endpoint } from '#api/endpoint.ts'
import { fileName } from '#api/schema.ts'

/** Uploads media. */
export const uploadContent = endpoint({
  id: 'uploadContent',
  spec: 'client-server-api/#post_matrixmediav3upload',
  method: 'POST',
  path: '/_matrix/media/v3/upload',
  alsoAt: ['/_matrix/media/r0/upload', '/_matrix/media/v1/upload'],
  auth: 'accessToken',
  rateLimit: true,
  bodyKind: 'bytes',
  query: z.object({ filename: fileName.optional() }),
  response: z.object({ content_uri: z.string() }),
})
