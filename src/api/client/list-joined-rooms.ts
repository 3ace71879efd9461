import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'

/** The rooms that the caller is in. */
export const getJoinedRooms = endpoint({
  id: 'getJoinedRooms',
  spec: 'client-server-api/#get_matrixclientv3joined_rooms',
  method: 'GET',
  ...withR0('/_matrix/client/v3/joined_rooms'),
  auth: 'accessToken',
  response: z.object({ joined_rooms: z.array(z.string()) }),
})
