import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, jsonObject, roomId, shortText, userId } from '#api/schema.ts'

const tagInfo = z.looseObject({ order: z.number().optional() })
/** What clients of other kinds add is kept as it came. */
const newTagInfo = jsonObject
  .refine(({ order }) => order === undefined || typeof order === 'number', {
    error: 'expected a number',
    path: ['order'],
    params: { expected: 'number' },
  })
  .meta({ type: 'object', properties: { order: { type: 'number' } } })

/** The tags that the user gave a room. */
export const getRoomTags = endpoint({
  id: 'getRoomTags',
  spec: 'client-server-api/#get_matrixclientv3useruseridroomsroomidtags',
  method: 'GET',
  ...withR0('/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags'),
  auth: 'accessToken',
  params: z.object({ userId, roomId }),
  response: z.object({ tags: z.record(z.string(), tagInfo).optional() }),
})

/** Gives a room a tag. */
export const setRoomTag = endpoint({
  id: 'setRoomTag',
  spec: 'client-server-api/#put_matrixclientv3useruseridroomsroomidtagstag',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}'),
  auth: 'accessToken',
  params: z.object({ userId, roomId, tag: shortText }),
  body: newTagInfo,
  response: empty,
})

/** Takes a tag from a room. */
export const deleteRoomTag = endpoint({
  id: 'deleteRoomTag',
  spec: 'client-server-api/#delete_matrixclientv3useruseridroomsroomidtagstag',
  method: 'DELETE',
  ...withR0('/_matrix/client/v3/user/{userId}/rooms/{roomId}/tags/{tag}'),
  auth: 'accessToken',
  params: z.object({ userId, roomId, tag: shortText }),
  response: empty,
})
