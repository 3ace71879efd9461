import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, jsonObject, optional, roomId, shortText } from '#api/schema.ts'

const countOfKeys = z.int().min(0)

const keyBackupData = z.looseObject({
  first_message_index: countOfKeys,
  forwarded_count: countOfKeys,
  is_verified: z.boolean(),
  session_data: jsonObject,
})
const roomKeyBackup = z.looseObject({ sessions: z.record(z.string(), keyBackupData) })
const keyBackup = z.looseObject({ rooms: z.record(z.string(), roomKeyBackup) })

const updated = z.object({ count: z.int(), etag: z.string() })
const query = z.object({ version: shortText })
const sessionId = shortText

const backupInfo = z.object({
  algorithm: z.string(),
  auth_data: jsonObject,
  count: z.int(),
  etag: z.string(),
  version: z.string(),
})

/** Stores keys in the backup. */
export const putRoomKeys = endpoint({
  id: 'putRoomKeys',
  spec: 'client-server-api/#put_matrixclientv3room_keyskeys',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/room_keys/keys'),
  auth: 'accessToken',
  rateLimit: true,
  maxBodyBytes: 16 * 1024 * 1024,
  query,
  body: keyBackup,
  response: updated,
})

/** All keys of a backup. */
export const getRoomKeys = endpoint({
  id: 'getRoomKeys',
  spec: 'client-server-api/#get_matrixclientv3room_keyskeys',
  method: 'GET',
  ...withR0('/_matrix/client/v3/room_keys/keys'),
  auth: 'accessToken',
  rateLimit: true,
  query,
  response: keyBackup,
})

/** Empties a backup. */
export const deleteRoomKeys = endpoint({
  id: 'deleteRoomKeys',
  spec: 'client-server-api/#delete_matrixclientv3room_keyskeys',
  method: 'DELETE',
  ...withR0('/_matrix/client/v3/room_keys/keys'),
  auth: 'accessToken',
  rateLimit: true,
  query,
  response: updated,
})

/** Stores keys of a room in the backup. */
export const putRoomKeysByRoomId = endpoint({
  id: 'putRoomKeysByRoomId',
  spec: 'client-server-api/#put_matrixclientv3room_keyskeysroomid',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/room_keys/keys/{roomId}'),
  auth: 'accessToken',
  rateLimit: true,
  maxBodyBytes: 16 * 1024 * 1024,
  params: z.object({ roomId }),
  query,
  body: roomKeyBackup,
  response: updated,
})

/** The keys of a room in a backup. */
export const getRoomKeysByRoomId = endpoint({
  id: 'getRoomKeysByRoomId',
  spec: 'client-server-api/#get_matrixclientv3room_keyskeysroomid',
  method: 'GET',
  ...withR0('/_matrix/client/v3/room_keys/keys/{roomId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId }),
  query,
  response: roomKeyBackup,
})

/** Takes the keys of a room out of the backup. */
export const deleteRoomKeysByRoomId = endpoint({
  id: 'deleteRoomKeysByRoomId',
  spec: 'client-server-api/#delete_matrixclientv3room_keyskeysroomid',
  method: 'DELETE',
  ...withR0('/_matrix/client/v3/room_keys/keys/{roomId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId }),
  query,
  response: updated,
})

/** Stores one key in the backup. */
export const putRoomKeyBySessionId = endpoint({
  id: 'putRoomKeyBySessionId',
  spec: 'client-server-api/#put_matrixclientv3room_keyskeysroomidsessionid',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId, sessionId }),
  query,
  body: keyBackupData,
  response: updated,
})

/** One key of a backup. */
export const getRoomKeyBySessionId = endpoint({
  id: 'getRoomKeyBySessionId',
  spec: 'client-server-api/#get_matrixclientv3room_keyskeysroomidsessionid',
  method: 'GET',
  ...withR0('/_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId, sessionId }),
  query,
  response: keyBackupData,
})

/** Takes one key out of the backup. */
export const deleteRoomKeyBySessionId = endpoint({
  id: 'deleteRoomKeyBySessionId',
  spec: 'client-server-api/#delete_matrixclientv3room_keyskeysroomidsessionid',
  method: 'DELETE',
  ...withR0('/_matrix/client/v3/room_keys/keys/{roomId}/{sessionId}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId, sessionId }),
  query,
  response: updated,
})

/** Starts a new backup, which is the current one from then on. */
export const postRoomKeysVersion = endpoint({
  id: 'postRoomKeysVersion',
  spec: 'client-server-api/#post_matrixclientv3room_keysversion',
  method: 'POST',
  ...withR0('/_matrix/client/v3/room_keys/version'),
  auth: 'accessToken',
  rateLimit: true,
  body: z.looseObject({ algorithm: shortText, auth_data: jsonObject }),
  response: z.object({ version: z.string() }),
})

/** What there is to know of the current backup. */
export const getRoomKeysVersionCurrent = endpoint({
  id: 'getRoomKeysVersionCurrent',
  spec: 'client-server-api/#get_matrixclientv3room_keysversion',
  method: 'GET',
  ...withR0('/_matrix/client/v3/room_keys/version'),
  auth: 'accessToken',
  rateLimit: true,
  response: backupInfo,
})

/** What there is to know of a backup. */
export const getRoomKeysVersion = endpoint({
  id: 'getRoomKeysVersion',
  spec: 'client-server-api/#get_matrixclientv3room_keysversionversion',
  method: 'GET',
  ...withR0('/_matrix/client/v3/room_keys/version/{version}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ version: shortText }),
  response: backupInfo,
})

/** Changes the authentication data of a backup, never its algorithm. */
export const putRoomKeysVersion = endpoint({
  id: 'putRoomKeysVersion',
  spec: 'client-server-api/#put_matrixclientv3room_keysversionversion',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/room_keys/version/{version}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ version: shortText }),
  body: z.looseObject({ algorithm: shortText, auth_data: jsonObject, version: optional(shortText) }),
  response: empty,
})

/** Deletes a backup with all its keys. */
export const deleteRoomKeysVersion = endpoint({
  id: 'deleteRoomKeysVersion',
  spec: 'client-server-api/#delete_matrixclientv3room_keysversionversion',
  method: 'DELETE',
  ...withR0('/_matrix/client/v3/room_keys/version/{version}'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ version: shortText }),
  response: empty,
})
