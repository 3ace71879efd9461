import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { clientEvent, eventId, jsonObject, roomId, token } from '#api/schema.ts'
import { stateEventParams, stateEventPaths } from './room-state.ts'

const membership = z.enum(['join', 'invite', 'knock', 'leave', 'ban']).optional()

/** One event of a room. */
export const getOneRoomEvent = endpoint({
  id: 'getOneRoomEvent',
  spec: 'client-server-api/#get_matrixclientv3roomsroomideventeventid',
  method: 'GET',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/event/{eventId}'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ roomId, eventId }),
  response: clientEvent,
})

/** One event of a room's state: its content, or with `format=event` all of it. */
export const getRoomStateWithKey = endpoint({
  id: 'getRoomStateWithKey',
  spec: 'client-server-api/#get_matrixclientv3roomsroomidstateeventtypestatekey',
  method: 'GET',
  ...stateEventPaths,
  auth: 'accessToken',
  guest: true,
  params: stateEventParams,
  query: z.object({ format: z.enum(['content', 'event']).default('content') }),
  response: z.union([jsonObject, clientEvent.extend({ state_key: z.string() })]),
})

/** The state of a room. */
export const getRoomState = endpoint({
  id: 'getRoomState',
  spec: 'client-server-api/#get_matrixclientv3roomsroomidstate',
  method: 'GET',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/state'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ roomId }),
  response: z.array(clientEvent),
})

/** The member events of a room. */
export const getMembersByRoom = endpoint({
  id: 'getMembersByRoom',
  spec: 'client-server-api/#get_matrixclientv3roomsroomidmembers',
  method: 'GET',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/members'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ roomId }),
  query: z.object({ at: token.optional(), membership, not_membership: membership }),
  response: z.object({ chunk: z.array(clientEvent).optional() }),
})

/** Who is in a room, by user ID, in short. */
export const getJoinedMembersByRoom = endpoint({
  id: 'getJoinedMembersByRoom',
  spec: 'client-server-api/#get_matrixclientv3roomsroomidjoined_members',
  method: 'GET',
  ...withR0('/_matrix/client/v3/rooms/{roomId}/joined_members'),
  auth: 'accessToken',
  params: z.object({ roomId }),
  response: z.object({
    joined: z
      .record(z.string(), z.object({ avatar_url: z.string().optional(), display_name: z.string().optional() }))
      .optional(),
  }),
})
