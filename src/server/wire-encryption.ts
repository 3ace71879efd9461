import type { Passwords } from '#services/accounts/passwords.ts'
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
import { passwordStage } from '#services/encryption/password-stage.ts'
import { ToDevice } from '#services/encryption/to-device.ts'
import { ToDeviceQueue, type Waiting } from '#services/encryption/to-device-queue.ts'
import type { Transactions } from '#services/events/transactions.ts'
import { Limiter } from '#services/limiter.ts'
import type { UserSection } from '#services/sync/sections.ts'
import { Remembered } from '#util/remembered.ts'
import type { Foundation } from './wire-foundation.ts'

type Needs = { readonly passwords: Passwords; readonly transactions: Transactions }

/** End-to-end encryption: keys, messages to devices, backups of keys, and what syncs say of them. */
export const wireEncryption = (foundation: Foundation, { passwords, transactions }: Needs) => {
  const { config, db, cache, clock } = foundation
  const counts = new KeyCounts({ db, remembered: new Remembered<KeyCount>(cache((_, key) => 300 + key.length * 2)) })
  const remembered = new Remembered<Waiting>(cache((_, key) => 50 + key.length * 2))
  const queue = new ToDeviceQueue({ ...foundation, remembered })
  const authorizeInteractively = passwordStage({ db, passwords })
  const deviceLists = new DeviceLists({ ...foundation, incarnation: db.start.incarnation })
  const backedUpKeys = new BackedUpKeys(foundation)
  const encryptionSections: readonly UserSection[] = [queue.section, deviceLists.section, counts.section]
  return {
    keyUploads: new KeyUploads({ ...foundation, counts }),
    keyQueries: new KeyQueries(foundation),
    keyClaims: new KeyClaims({ ...foundation, counts }),
    crossSigning: new CrossSigning({ ...foundation, authorizeInteractively }),
    keySignatures: new KeySignatures(foundation),
    deviceLists,
    toDevice: new ToDevice({
      ...foundation,
      transactions,
      queue,
      keyRequestLimiter: new Limiter(config.rateLimits.keyRequests, clock),
    }),
    backedUpKeys,
    keyBackups: new KeyBackups({ ...foundation, backedUpKeys }),
    removeDeviceKeys: deviceKeyCleanup({ counts, queue }),
    encryptionSections,
  }
}
