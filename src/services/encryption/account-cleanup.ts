import type { AccountCleanup } from '#services/accounts/deactivate.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { crossSigningKeyRemoved, crossSigningKeysOf } from '#storage/stores/cross-signing.ts'
import { keySignaturesRemoved, ownSignaturesRemoved } from '#storage/stores/key-signatures.ts'
import type { KeyBackups } from './key-backups.ts'
import { noteDeviceListChange } from './note-device-list.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly keyBackups: KeyBackups }

/** The cross-signing keys and the key backups of an account go with it. The keys of devices went with the devices. */
export const accountKeyCleanup =
  ({ db, commit, keyBackups }: Deps): AccountCleanup =>
  async (user) => {
    const keys = await crossSigningKeysOf(db, [user])
    if (keys.length > 0) {
      const change = new Change()
      for (const { usage, publicKey } of keys) {
        change.write(crossSigningKeyRemoved, { user, usage })
        change.write(keySignaturesRemoved, { signedUser: user, target: publicKey })
        change.write(ownSignaturesRemoved, { user, keyId: `ed25519:${publicKey}` })
      }
      noteDeviceListChange(change, user)
      await commit(change)
    }
    await keyBackups.deleteAll(user)
  }
