import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, roomAlias, roomId } from '#api/schema.ts'

/** The room that an alias leads to, and servers that are in it. */
export const getRoomIdByAlias = endpoint({
  id: 'getRoomIdByAlias',
  spec: 'client-server-api/#get_matrixclientv3directoryroomroomalias',
  method: 'GET',
  ...withR0('/_matrix/client/v3/directory/room/{roomAlias}'),
  auth: 'none',
  params: z.object({ roomAlias }),
  response: z.object({ room_id: z.string().optional(), servers: z.array(z.string()).optional() }),
})

/** Makes an alias for a room. */
export const setRoomAlias = endpoint({
  id: 'setRoomAlias',
  spec: 'client-server-api/#put_matrixclientv3directoryroomroomalias',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/directory/room/{roomAlias}'),
  auth: 'accessToken',
  params: z.object({ roomAlias }),
  body: z.looseObject({ room_id: roomId }),
  response: empty,
})

/** Takes an alias away. */
export const deleteRoomAlias = endpoint({
  id: 'deleteRoomAlias',
  spec: 'client-server-api/#delete_matrixclientv3directoryroomroomalias',
  method: 'DELETE',
  ...withR0('/_matrix/client/v3/directory/room/{roomAlias}'),
  auth: 'accessToken',
  params: z.object({ roomAlias }),
  response: empty,
})

/** The aliases that this server knows of a room. */
export const getLocalAliases = endpoint({
  id: 'getLocalAliases',
  spec: 'client-server-api/#get_matrixclientv3roomsroomidaliases',
  method: 'GET',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/aliases'),
  auth: 'accessToken',
  rateLimit: true,
  params: z.object({ roomId }),
  response: z.object({ aliases: z.array(z.string()) }),
})
