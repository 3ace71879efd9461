import { endpoint, withR0 } from '#api/endpoint.ts'
import { empty } from '#api/schema.ts'

/** Logs this device out. A body, if there is one, means nothing. */
export const logout = endpoint({
  id: 'logout',
  spec: 'client-server-api/#post_matrixclientv3logout',
  method: 'POST',
  ...withR0('/_matrix/client/v3/logout'),
  auth: 'accessToken',
  locked: true,
  response: empty,
})

/** Logs all of the caller's devices out. */
export const logoutAll = endpoint({
  id: 'logout_all',
  spec: 'client-server-api/#post_matrixclientv3logoutall',
  method: 'POST',
  ...withR0('/_matrix/client/v3/logout/all'),
  auth: 'accessToken',
  locked: true,
  response: empty,
})
