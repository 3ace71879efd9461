import type { AccountCleanup } from '#services/accounts/deactivate.ts'
import type { DeviceCleanup } from '#services/accounts/devices.ts'
import { accountKeyCleanup } from '#services/encryption/account-cleanup.ts'
import { BackedUpKeys } from '#services/encryption/backed-up-keys.ts'
import { CrossSigning } from '#services/encryption/cross-signing.ts'
import { deviceKeyCleanup } from '#services/encryption/device-cleanup.ts'
import { DeviceLists } from '#services/encryption/device-lists.ts'
import { KeyBackups } from '#services/encryption/key-backups.ts'
import { KeyClaims } from '#services/encryption/key-claims.ts'
import { type KeyCount, KeyCounts } from '#services/encryption/key-counts.ts'
import { KeyQueries } from '#services/encryption/key-queries.ts'
import { KeySignatures } from '#services/encryption/key-signatures.ts'
import { KeyUploads } from '#services/encryption/key-uploads.ts'
import { noteDeviceListChange } from '#services/encryption/note-device-list.ts'
import { ToDevice } from '#services/encryption/to-device.ts'
import { ToDeviceQueue, type Waiting } from '#services/encryption/to-device-queue.ts'
import { Limiter } from '#services/limiter.ts'
import type { UserSection } from '#services/sync/sections.ts'
import { ReadThrough } from '#util/read-through.ts'
import type { wireAccounts } from './wire-accounts.ts'
import type { Foundation } from './wire-foundation.ts'
import type { wireRooms } from './wire-rooms.ts'

/** What is kept for each device, and what becomes of it when the device goes. */
export const wireDeviceContents = (foundation: Foundation) => {
  const { db, cache } = foundation
  const counts = new KeyCounts({
    db,
    remembered: new ReadThrough<string, KeyCount>(cache((_, key) => 300 + key.length * 2)),
  })
  const remembered = new ReadThrough<string, Waiting>(cache((_, key) => 50 + key.length * 2))
  const queue = new ToDeviceQueue({ ...foundation, remembered })
  const whenGone: readonly DeviceCleanup[] = [deviceKeyCleanup({ counts, queue })]
  const whenRenamed: readonly DeviceCleanup[] = [(change, { user }) => noteDeviceListChange(change, user)]
  return { counts, queue, whenGone, whenRenamed }
}

type Ground = Foundation & ReturnType<typeof wireAccounts> & Awaited<ReturnType<typeof wireRooms>>

/** End-to-end encryption: keys, messages to devices, backups of keys, and what syncs say of them. */
export const wireEncryption = (ground: Ground, { counts, queue }: ReturnType<typeof wireDeviceContents>) => {
  const { config, db, clock } = ground
  const deviceLists = new DeviceLists({ ...ground, incarnation: db.start.incarnation })
  const backedUpKeys = new BackedUpKeys(ground)
  const keyBackups = new KeyBackups({ ...ground, backedUpKeys })
  const whenDeactivated: readonly AccountCleanup[] = [accountKeyCleanup({ ...ground, keyBackups })]
  const encryptionSections: readonly UserSection[] = [queue.section, deviceLists.section, counts.section]
  return {
    keyUploads: new KeyUploads({ ...ground, counts }),
    keyQueries: new KeyQueries(ground),
    keyClaims: new KeyClaims({ ...ground, counts }),
    crossSigning: new CrossSigning(ground),
    keySignatures: new KeySignatures(ground),
    deviceLists,
    toDevice: new ToDevice({
      ...ground,
      queue,
      keyRequestLimiter: new Limiter(config.rateLimits.keyRequests, clock),
    }),
    backedUpKeys,
    keyBackups,
    whenDeactivated,
    encryptionSections,
  }
}
