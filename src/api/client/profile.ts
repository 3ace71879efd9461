import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty, jsonObject, userId } from '#api/schema.ts'

const field = withR0(
  '/_matrix/client/v3/profile/{userId}/{keyName}',
  '/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}/{keyName}',
)

const params = z.object({ userId, keyName: z.string().min(1, 'expected the name of a field') })

/** All that a user tells of themselves. Whether one must be logged in to see it is for the administrator to say. */
export const getUserProfile = endpoint({
  id: 'getUserProfile',
  spec: 'client-server-api/#get_matrixclientv3profileuserid',
  method: 'GET',
  ...withR0('/_matrix/client/v3/profile/{userId}', '/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}'),
  auth: 'accessTokenOptional',
  guest: true,
  params: z.object({ userId }),
  response: z.looseObject({
    avatar_url: z.string().optional(),
    displayname: z.string().optional(),
    'm.tz': z.string().optional(),
  }),
})

/** One field of a profile. Whether one must be logged in to see it is for the administrator to say. */
export const getProfileField = endpoint({
  id: 'getProfileField',
  spec: 'client-server-api/#get_matrixclientv3profileuseridkeyname',
  method: 'GET',
  ...field,
  auth: 'accessTokenOptional',
  guest: true,
  params,
  response: jsonObject,
})

/** Sets a field of the caller's profile; the body has it under its name. Of guests, the display name only. */
export const setProfileField = endpoint({
  id: 'setProfileField',
  spec: 'client-server-api/#put_matrixclientv3profileuseridkeyname',
  method: 'PUT',
  ...field,
  auth: 'accessToken',
  guest: true,
  suspended: false,
  rateLimit: true,
  params,
  body: jsonObject,
  response: empty,
})

/** Takes a field out of the caller's profile. Of guests, the display name only. */
export const deleteProfileField = endpoint({
  id: 'deleteProfileField',
  spec: 'client-server-api/#delete_matrixclientv3profileuseridkeyname',
  method: 'DELETE',
  ...field,
  auth: 'accessToken',
  guest: true,
  suspended: false,
  rateLimit: true,
  params,
  response: empty,
})
