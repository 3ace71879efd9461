import type { Requester } from '#api/requester.ts'
import { invalidParam, notFound, tooLarge, unknown } from '#protocol/errors.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  backupAuthDataSet,
  backupVersionNew,
  currentKeyBackup,
  type KeyBackupRow,
  keyBackupAdded,
  keyBackupDeleted,
  keyBackupOf,
  lastBackupVersion,
} from '#storage/stores/key-backups.ts'
import type { JsonObject } from '#util/json.ts'
import type { BackedUpKeys } from './backed-up-keys.ts'
import { readBackupVersion } from './backup-version.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly backedUpKeys: BackedUpKeys }

/** What clients are told of a backup. */
export type BackupInfo = {
  readonly version: string
  readonly algorithm: string
  readonly authData: JsonObject
  readonly count: number
  readonly etag: string
}
/** How the keys of a backup are encrypted. */
export type BackupMethod = { readonly algorithm: string; readonly authData: JsonObject }

/** The largest authentication data, as JSON; the specification sets no bound. */
const MAX_AUTH_DATA_BYTES = 64 * 1024
/** How often a version is asked for again because somebody else took it. */
const ATTEMPTS = 100

/** The versions of users' backups. The newest that is not deleted is the current one. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
export class KeyBackups {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Begins a backup and gives its version. */
  async create({ user }: Requester, { algorithm, authData }: BackupMethod): Promise<string> {
    const { db, commit } = this.#deps
    const text = printAuthData(authData)
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const version = (await lastBackupVersion(db, user)) + 1
      const backup = { user, version, algorithm, authData: text, etag: 0, count: 0, isDeleted: false }
      const change = new Change().require(backupVersionNew, { user, version }).write(keyBackupAdded, backup)
      if ((await commit(change)).ok) return String(version)
    }
    throw unknown('Too many backups are begun at once. Try again.', { status: 503 })
  }

  /** The current backup. */
  async current({ user }: Requester): Promise<BackupInfo> {
    const backup = await currentKeyBackup(this.#deps.db, user)
    if (backup === undefined) throw notFound('You have no backup')
    return infoOf(backup)
  }

  async info({ user }: Requester, version: string): Promise<BackupInfo> {
    return infoOf(await this.#backup(user, version))
  }

  /** Says anew how the keys are encrypted. The algorithm stays; `claimed` is the version that the body names. */
  async update(
    { user }: Requester,
    version: string,
    { algorithm, authData, claimed }: BackupMethod & { readonly claimed: string | undefined },
  ): Promise<void> {
    if (claimed !== undefined && claimed !== version) throw invalidParam(`'version' must be ${version}, as in the path`)
    const backup = await this.#backup(user, version)
    if (algorithm !== backup.algorithm) throw invalidParam(`'algorithm' must stay ${backup.algorithm}`)
    const set = { user, version: backup.version, authData: printAuthData(authData) }
    const outcome = await this.#deps.commit(new Change().write(backupAuthDataSet, set))
    if (!outcome.ok || outcome.returned(backupAuthDataSet).length === 0) throw notThere()
  }

  /** Deletes a backup and its keys. One that was deleted before may be deleted again. */
  async delete({ user }: Requester, written: string): Promise<void> {
    const { db, commit, backedUpKeys } = this.#deps
    const version = readBackupVersion(written)
    const backup = version === undefined ? undefined : await keyBackupOf(db, user, version)
    if (version === undefined || backup === undefined) throw notThere()
    if (!backup.isDeleted) await commit(new Change().write(keyBackupDeleted, { user, version }))
    // What a crash left of them goes when the client asks again.
    await backedUpKeys.purge(user, version)
  }

  /** Deletes all backups of a user, the newest first. */
  async deleteAll(user: number): Promise<void> {
    for (;;) {
      const current = await currentKeyBackup(this.#deps.db, user)
      if (current === undefined) return
      const { version } = current
      // The keys go first: what is deleted is not found again after a crash.
      await this.#deps.backedUpKeys.purge(user, version)
      await this.#deps.commit(new Change().write(keyBackupDeleted, { user, version }))
      await this.#deps.backedUpKeys.purge(user, version)
    }
  }

  async #backup(user: number, written: string): Promise<KeyBackupRow> {
    const version = readBackupVersion(written)
    const backup = version === undefined ? undefined : await keyBackupOf(this.#deps.db, user, version)
    if (backup === undefined || backup.isDeleted) throw notThere()
    return backup
  }
}

const notThere = () => notFound('You have no backup of that version')

const infoOf = ({ version, algorithm, authData, count, etag }: KeyBackupRow): BackupInfo => ({
  version: String(version),
  algorithm,
  authData: JSON.parse(authData) as JsonObject,
  count,
  etag: String(etag),
})

function printAuthData(authData: JsonObject): string {
  const text = JSON.stringify(authData)
  if (Buffer.byteLength(text) > MAX_AUTH_DATA_BYTES) {
    throw tooLarge(`'auth_data' may have ${MAX_AUTH_DATA_BYTES} bytes, not more`)
  }
  return text
}
