import { deleteDevice, deleteDevices, getDevice, getDevices, updateDevice } from '#api/client/device-management.ts'
import { type Route, route } from '#http/server/route.ts'
import type { Devices } from '#services/accounts/devices.ts'

type Device = Awaited<ReturnType<Devices['get']>>

/** Listing, renaming and removing devices. https://spec.matrix.org/v1.19/client-server-api/#device-management */
export const deviceManagementRoutes = ({ devices }: { readonly devices: Devices }): Route[] => [
  route(getDevices, async ({ requester }) => ({ devices: (await devices.list(requester)).map(printDevice) })),
  route(getDevice, async ({ requester, params }) => printDevice(await devices.get(requester, params.deviceId))),
  route(updateDevice, async ({ requester, params, body }) => {
    await devices.rename(requester, params.deviceId, body.display_name)
    return {}
  }),
  route(deleteDevice, async ({ requester, params, body }) => {
    await devices.remove(requester, [params.deviceId], body?.auth)
    return {}
  }),
  route(deleteDevices, async ({ requester, body }) => {
    await devices.remove(requester, body.devices, body.auth)
    return {}
  }),
]

const printDevice = ({ deviceId, displayName, lastSeenIp, lastSeenTs }: Device) => ({
  device_id: deviceId,
  display_name: displayName,
  last_seen_ip: lastSeenIp,
  last_seen_ts: lastSeenTs,
})
