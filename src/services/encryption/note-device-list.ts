import { type Change, LOG_KIND } from '#storage/change.ts'
import { deviceListChanged } from '#storage/stores/device-lists.ts'

/**
 * A user's devices, their names or keys, or the user's cross-signing keys are other ones from this change on: whoever shares a room with the
 * user hears of it. May be called more than once for a change. https://spec.matrix.org/v1.19/client-server-api/#tracking-the-device-list-for-a-user
 */
export const noteDeviceListChange = (change: Change, user: number): void => {
  if (change.entries.some((entry) => entry.kind === LOG_KIND.deviceList && entry.user === user)) return
  change.write(deviceListChanged, { user, pos: change.log({ kind: LOG_KIND.deviceList, user }) })
}
