import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, integer, jsonText, row, text } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'

/** A version of a user's backup of room keys. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
export const KEY_BACKUP = row({
  user: integer(),
  version: integer(),
  algorithm: text(),
  authData: jsonText(),
  etag: integer(),
  count: integer(),
  isDeleted: boolean(),
})
export type KeyBackupRow = (typeof KEY_BACKUP)['out']

const scope = ({ user }: { readonly user: number }) => `key backups:${user}`
const THIS = 't."user" = :user AND t.version = :version'

/** A user begins a backup. Written under `backupVersionNew`. */
export const keyBackupAdded = operation('key_backup_added', {
  row: KEY_BACKUP,
  statement: { insert: 'key_backups' },
  scope,
  fold: 'next batch',
})

/** The version is above all that the user ever had. */
export const backupVersionNew = condition('backup_version_new', {
  row: row({ user: integer(), version: integer() }),
  holds: 'NOT EXISTS (SELECT 1 FROM key_backups WHERE "user" = :user AND version >= :version)',
  scope,
})

/** How the keys are encrypted is said anew. */
export const backupAuthDataSet = operation('backup_auth_data_set', {
  row: row({ user: integer(), version: integer(), authData: jsonText() }),
  statement: { update: 'key_backups', set: 'auth_data = :auth_data', where: `${THIS} AND NOT t.is_deleted` },
  scope,
  fold: 'next batch',
  returning: row({ version: integer() }),
})

/** A backup is no more. Its keys go by `backedUpKeysRemoved`. */
export const keyBackupDeleted = operation('key_backup_deleted', {
  row: row({ user: integer(), version: integer() }),
  statement: {
    update: 'key_backups',
    set: `is_deleted = true, auth_data = '{}', count = 0, etag = t.etag + 1`,
    where: THIS,
  },
  scope,
  fold: 'next batch',
})

/** The keys of a backup changed. Written under `backupUnchanged`. */
export const backupCounted = operation('backup_counted', {
  row: row({ user: integer(), version: integer(), etag: integer(), count: integer() }),
  statement: { update: 'key_backups', set: 'etag = :etag, count = :count', where: THIS },
  scope,
  fold: 'next batch',
})

/** The backup is there, and its keys are those of that etag still. With `mustBeCurrent`, it is the newest one too. */
export const backupUnchanged = condition('backup_unchanged', {
  row: row({ user: integer(), version: integer(), etag: integer(), mustBeCurrent: boolean() }),
  holds: `EXISTS (SELECT 1 FROM key_backups WHERE "user" = :user AND version = :version AND etag = :etag AND NOT is_deleted)
    AND (NOT :must_be_current OR NOT EXISTS (
      SELECT 1 FROM key_backups WHERE "user" = :user AND version > :version AND NOT is_deleted))`,
  scope,
})

/** A backup of a user, also one that is deleted. */
export const keyBackupOf = (db: Reader, user: number, version: number): Promise<KeyBackupRow | undefined> =>
  db.get(KEY_BACKUP, sql`SELECT ${KEY_BACKUP} FROM key_backups WHERE "user" = ${user} AND version = ${version}`)

/** The newest backup of a user that is not deleted. */
export const currentKeyBackup = (db: Reader, user: number): Promise<KeyBackupRow | undefined> =>
  db.get(
    KEY_BACKUP,
    sql`SELECT ${KEY_BACKUP} FROM key_backups WHERE "user" = ${user} AND NOT is_deleted ORDER BY version DESC LIMIT 1`,
  )

const VERSION = row({ version: integer() })

/** The highest version that a user ever had; 0 before the first. */
export const lastBackupVersion = async (db: Reader, user: number): Promise<number> => {
  const found = await db.get(
    VERSION,
    sql`SELECT ${VERSION} FROM key_backups WHERE "user" = ${user} ORDER BY version DESC LIMIT 1`,
  )
  return found?.version ?? 0
}
