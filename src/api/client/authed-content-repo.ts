import * as z from 'zod'
import { endpoint } from '#api/endpoint.ts'
import { count, fileName, noJson, serverName } from '#api/schema.ts'

/** A media ID: anything else could be a path. https://spec.matrix.org/latest/client-server-api/#security-considerations-5 */
export const mediaId = z.string().regex(/^[A-Za-z0-9_-]{1,255}$/, 'expected a media ID of letters, digits, _ and -')

/** How long a client waits for media whose upload has not come yet. */
const timeout_ms = count(600_000).optional()

/** What uploads are bounded by. */
export const getConfigAuthed = endpoint({
  id: 'getConfigAuthed',
  spec: 'client-server-api/#get_matrixclientv1mediaconfig',
  method: 'GET',
  path: '/_matrix/client/v1/media/config',
  auth: 'accessToken',
  rateLimit: true,
  response: z.object({ 'm.upload.size': z.int().optional() }),
})

/** The bytes of media. */
export const getContentAuthed = endpoint({
  id: 'getContentAuthed',
  spec: 'client-server-api/#get_matrixclientv1mediadownloadservernamemediaid',
  method: 'GET',
  path: '/_matrix/client/v1/media/download/{serverName}/{mediaId}',
  auth: 'accessToken',
  guest: true,
  rateLimit: true,
  params: z.object({ serverName, mediaId }),
  query: z.object({ timeout_ms }),
  response: noJson,
})

/** The bytes of media, under a file name of the caller's choice. */
export const getContentOverrideNameAuthed = endpoint({
  id: 'getContentOverrideNameAuthed',
  spec: 'client-server-api/#get_matrixclientv1mediadownloadservernamemediaidfilename',
  method: 'GET',
  path: '/_matrix/client/v1/media/download/{serverName}/{mediaId}/{fileName}',
  auth: 'accessToken',
  guest: true,
  rateLimit: true,
  params: z.object({ serverName, mediaId, fileName }),
  query: z.object({ timeout_ms }),
  response: noJson,
})
