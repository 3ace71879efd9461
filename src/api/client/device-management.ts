import * as z from 'zod'
import { endpoint, withR0 } from '#api/endpoint.ts'
import { deviceDisplayName, deviceId, empty, optional } from '#api/schema.ts'
import { authenticationData } from './interactive-auth.ts'

const device = z.object({
  device_id: z.string(),
  display_name: z.string().optional(),
  last_seen_ip: z.string().optional(),
  last_seen_ts: z.int().optional(),
})

/** The caller's devices. */
export const getDevices = endpoint({
  id: 'getDevices',
  spec: 'client-server-api/#get_matrixclientv3devices',
  method: 'GET',
  ...withR0('/_matrix/client/v3/devices'),
  auth: 'accessToken',
  guest: true,
  response: z.object({ devices: z.array(device).optional() }),
})

/** One of the caller's devices. */
export const getDevice = endpoint({
  id: 'getDevice',
  spec: 'client-server-api/#get_matrixclientv3devicesdeviceid',
  method: 'GET',
  ...withR0('/_matrix/client/v3/devices/{deviceId}'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ deviceId }),
  response: device,
})

/** Renames a device. Application services make devices in this way, which is answered by 201. */
export const updateDevice = endpoint({
  id: 'updateDevice',
  spec: 'client-server-api/#put_matrixclientv3devicesdeviceid',
  method: 'PUT',
  ...withR0('/_matrix/client/v3/devices/{deviceId}'),
  auth: 'accessToken',
  guest: true,
  params: z.object({ deviceId }),
  body: z.looseObject({ display_name: optional(deviceDisplayName) }),
  response: empty,
})

/** Logs a device out, after interactive authentication. */
export const deleteDevice = endpoint({
  id: 'deleteDevice',
  spec: 'client-server-api/#delete_matrixclientv3devicesdeviceid',
  method: 'DELETE',
  ...withR0('/_matrix/client/v3/devices/{deviceId}'),
  auth: 'accessToken',
  params: z.object({ deviceId }),
  body: z.looseObject({ auth: optional(authenticationData) }).optional(),
  response: empty,
})

/** Logs several devices out, after interactive authentication. */
export const deleteDevices = endpoint({
  id: 'deleteDevices',
  spec: 'client-server-api/#post_matrixclientv3delete_devices',
  method: 'POST',
  ...withR0('/_matrix/client/v3/delete_devices'),
  auth: 'accessToken',
  body: z.looseObject({ auth: optional(authenticationData), devices: z.array(z.string()).max(10_000) }),
  response: empty,
})
