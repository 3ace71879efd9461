import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, jsonObject, roomId, shortText, userId } from '#api/schema.ts'

const global = z.object({ userId, type: shortText.min(1) })
const perRoom = z.object({ userId, roomId, type: shortText.min(1) })

/** What the user keeps on the server under a type, for all their devices. */
export const getAccountData = endpoint({
  id: 'getAccountData',
  spec: 'client-server-api/#get_matrixclientv3useruseridaccount_datatype',
  method: 'GET',
  ...withR0('/_matrix/client/v3/user/{userId}/account_data/{type}'),
  auth: 'accessToken',
  params: global,
  response: jsonObject,
})

/** Replaces what the user keeps on the server under a type. */
export const setAccountData = endpoint({
  id: 'setAccountData',
  spec: 'client-server-api/#put_matrixclientv3useruseridaccount_datatype',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/user/{userId}/account_data/{type}'),
  auth: 'accessToken',
  params: global,
  // What it is, only clients know: no number may lose anything.
  bodyKind: 'event',
  body: jsonObject,
  response: empty,
})

/** What the user keeps about a room under a type. */
export const getAccountDataPerRoom = endpoint({
  id: 'getAccountDataPerRoom',
  spec: 'client-server-api/#get_matrixclientv3useruseridroomsroomidaccount_datatype',
  method: 'GET',
  ...withR0('/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}'),
  auth: 'accessToken',
  params: perRoom,
  response: jsonObject,
})

/** Replaces what the user keeps about a room under a type. */
export const setAccountDataPerRoom = endpoint({
  id: 'setAccountDataPerRoom',
  spec: 'client-server-api/#put_matrixclientv3useruseridroomsroomidaccount_datatype',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/user/{userId}/rooms/{roomId}/account_data/{type}'),
  auth: 'accessToken',
  params: perRoom,
  // What it is, only clients know: no number may lose anything.
  bodyKind: 'event',
  body: jsonObject,
  response: empty,
})
