import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { boolean, integer, jsonText, row, text } from '#storage/row.ts'
import { oneOfText, sql, textValue } from '#storage/sql.ts'

/** A key in a backup. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
export const BACKED_UP_KEY = row({
  user: integer(),
  version: integer(),
  roomId: text(),
  sessionId: text(),
  firstMessageIndex: integer(),
  forwardedCount: integer(),
  isVerified: boolean(),
  sessionData: jsonText(),
})
export type BackedUpKeyRow = (typeof BACKED_UP_KEY)['out']

/** A key is in the backup, in the place of a worse one. Written under `backupUnchanged`, by which no two changes of a backup share a batch. */
export const backedUpKeySet = operation('backed_up_key_set', {
  row: BACKED_UP_KEY,
  statement: { upsert: 'backed_up_keys', key: ['user', 'version', 'room_id', 'session_id'] },
})

/** The keys between two of them, these included, are not in the backup any more. */
export const backedUpKeysRemoved = operation('backed_up_keys_removed', {
  row: row({
    user: integer(),
    version: integer(),
    firstRoom: text(),
    firstSession: text(),
    lastRoom: text(),
    lastSession: text(),
  }),
  statement: {
    remove: 'backed_up_keys',
    where: `t."user" = :user AND t.version = :version AND (t.room_id, t.session_id) >= (:first_room, :first_session)
      AND (t.room_id, t.session_id) <= (:last_room, :last_session)`,
  },
})

/** A backup of a user, and a place in the order of its keys. */
export type BackupPlace = {
  readonly user: number
  readonly version: number
  readonly roomId: string
  readonly sessionId: string
}

/** The key of a session, or `undefined`. */
export const backedUpKey = (
  db: Reader,
  { user, version, roomId, sessionId }: BackupPlace,
): Promise<BackedUpKeyRow | undefined> =>
  db.get(
    BACKED_UP_KEY,
    sql`SELECT ${BACKED_UP_KEY} FROM backed_up_keys WHERE "user" = ${user} AND version = ${version}
      AND room_id = ${textValue(roomId)} AND session_id = ${textValue(sessionId)}`,
  )

/** The keys of a backup in the order of rooms and sessions, `limit` after a place. */
export const backedUpKeysAfter = (
  db: Reader,
  { user, version, roomId, sessionId }: BackupPlace,
  limit: number,
): Promise<BackedUpKeyRow[]> =>
  db.all(
    BACKED_UP_KEY,
    sql`SELECT ${BACKED_UP_KEY} FROM backed_up_keys WHERE "user" = ${user} AND version = ${version}
      AND (room_id, session_id) > (${textValue(roomId)}, ${textValue(sessionId)}) ORDER BY room_id, session_id LIMIT ${limit}`,
  )

/** The keys of a room in a backup in the order of sessions, `limit` after a place. */
export const backedUpKeysOfRoom = (
  db: Reader,
  { user, version, roomId, sessionId }: BackupPlace,
  limit: number,
): Promise<BackedUpKeyRow[]> =>
  db.all(
    BACKED_UP_KEY,
    sql`SELECT ${BACKED_UP_KEY} FROM backed_up_keys WHERE "user" = ${user} AND version = ${version}
      AND room_id = ${textValue(roomId)} AND session_id > ${textValue(sessionId)} ORDER BY session_id LIMIT ${limit}`,
  )

/** What decides whether a key is better than another one. */
export const KEY_QUALITY = row({
  sessionId: text(),
  firstMessageIndex: integer(),
  forwardedCount: integer(),
  isVerified: boolean(),
})
export type KeyQuality = (typeof KEY_QUALITY)['out']

/** How good the keys of these sessions of a room are that are in a backup. */
export const keyQualities = (
  db: Reader,
  { user, version, roomId }: Omit<BackupPlace, 'sessionId'>,
  sessionIds: Iterable<string>,
): Promise<KeyQuality[]> =>
  db.all(
    KEY_QUALITY,
    sql`SELECT ${KEY_QUALITY} FROM backed_up_keys WHERE "user" = ${user} AND version = ${version}
      AND room_id = ${textValue(roomId)} AND session_id ${oneOfText(sessionIds)}`,
  )
