import type { DeviceCleanup } from '#services/accounts/devices.ts'
import { deviceKeysRemoved } from '#storage/stores/device-keys.ts'
import { fallbackKeysRemoved } from '#storage/stores/fallback-keys.ts'
import { keySignaturesRemoved } from '#storage/stores/key-signatures.ts'
import { oneTimeKeyChangesRemoved, oneTimeKeysRemoved } from '#storage/stores/one-time-keys.ts'
import type { KeyCounts } from './key-counts.ts'
import { noteDeviceListChange } from './note-device-list.ts'
import type { ToDeviceQueue } from './to-device-queue.ts'

/** The keys of a device, what signs them and the messages that wait for it go with the device. */
export const deviceKeyCleanup =
  ({ counts, queue }: { readonly counts: KeyCounts; readonly queue: ToDeviceQueue }): DeviceCleanup =>
  (change, { user, deviceId }) => {
    const device = { user, deviceId }
    change.write(deviceKeysRemoved, device)
    change.write(oneTimeKeysRemoved, device).write(fallbackKeysRemoved, device).write(oneTimeKeyChangesRemoved, device)
    change.write(keySignaturesRemoved, { signedUser: user, target: deviceId })
    queue.empty(change, device)
    counts.forget(change, device)
    noteDeviceListChange(change, user)
  }
