import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { boolean, integer, jsonText, optional, position, row, text } from '#storage/row.ts'
import { oneOf, oneOfText, sql, textValue } from '#storage/sql.ts'

/** A one-time key of a device. https://spec.matrix.org/v1.19/client-server-api/#one-time-and-fallback-keys */
export const ONE_TIME_KEY = row({
  user: integer(),
  deviceId: text(),
  algorithm: text(),
  keyId: text(),
  key: jsonText(),
  pos: position(),
  isClaimed: boolean(),
})
export type OneTimeKeyRow = (typeof ONE_TIME_KEY)['out']

type Device = { readonly user: number; readonly deviceId: string }
/** What is written of one-time and fallback keys of one device is written in the order of arrival. */
export const oneTimeKeyScope = ({ user, deviceId }: Device): string => `one-time keys:${user}:${deviceId}`

const OF_DEVICE = 't."user" = :user AND t.device_id = :device_id'

/** A device has one more one-time key. One of that ID that is there stays as it is: see `oneTimeKeyFits`. */
export const oneTimeKeyAdded = operation('one_time_key_added', {
  row: ONE_TIME_KEY,
  statement: { insert: 'one_time_keys', ignoreExisting: true },
  scope: oneTimeKeyScope,
})

/** No other key of that ID waits to be claimed. */
export const oneTimeKeyFits = condition('one_time_key_fits', {
  row: row({ user: integer(), deviceId: text(), algorithm: text(), keyId: text(), key: jsonText() }),
  holds: `NOT EXISTS (SELECT 1 FROM one_time_keys WHERE "user" = :user AND device_id = :device_id
    AND algorithm = :algorithm AND key_id = :key_id AND key <> :key AND NOT is_claimed)`,
})

/** The key that was uploaded first is given away; nothing where there is none. It is given here and nowhere else. */
export const oneTimeKeyClaimed = operation('one_time_key_claimed', {
  row: row({ user: integer(), deviceId: text(), algorithm: text() }),
  statement: {
    update: 'one_time_keys',
    set: 'is_claimed = true',
    where: `${OF_DEVICE} AND t.algorithm = :algorithm AND t.key_id = (SELECT k.key_id FROM one_time_keys AS k
      WHERE k."user" = :user AND k.device_id = :device_id AND k.algorithm = :algorithm AND NOT k.is_claimed
      ORDER BY k.pos, k.key_id LIMIT 1)`,
  },
  scope: ({ user, deviceId }) => oneTimeKeyScope({ user, deviceId }),
  fold: 'next batch',
  returning: row({ user: integer(), deviceId: text(), algorithm: text(), keyId: text(), key: jsonText() }),
})

/** A key that was claimed need not be remembered any longer. */
export const claimedKeyForgotten = operation('claimed_key_forgotten', {
  row: row({ user: integer(), deviceId: text(), algorithm: text(), keyId: text() }),
  statement: {
    remove: 'one_time_keys',
    where: `${OF_DEVICE} AND t.algorithm = :algorithm AND t.key_id = :key_id AND t.is_claimed`,
  },
  scope: oneTimeKeyScope,
})

/** A device has no one-time keys any more. */
export const oneTimeKeysRemoved = operation('one_time_keys_removed', {
  row: row({ user: integer(), deviceId: text() }),
  statement: { remove: 'one_time_keys', where: OF_DEVICE },
  scope: oneTimeKeyScope,
  fold: 'next batch',
})

/** Something about a device's one-time or fallback keys is other than before. */
export const oneTimeKeysChanged = operation('one_time_keys_changed', {
  row: row({ user: integer(), deviceId: text(), pos: position() }),
  statement: { upsert: 'one_time_key_changes', key: ['user', 'device_id'], prunesLog: true },
  scope: oneTimeKeyScope,
  fold: 'next batch',
})

/** Nobody needs to hear of a device's one-time keys any more. */
export const oneTimeKeyChangesRemoved = operation('one_time_key_changes_removed', {
  row: row({ user: integer(), deviceId: text() }),
  statement: { remove: 'one_time_key_changes', where: OF_DEVICE, prunesLog: true },
  scope: oneTimeKeyScope,
  fold: 'next batch',
})

/** The one-time keys of a device, claimed ones that are remembered too; at most `limit`. */
export const oneTimeKeysOf = (db: Reader, { user, deviceId }: Device, limit: number): Promise<OneTimeKeyRow[]> =>
  db.all(
    ONE_TIME_KEY,
    sql`SELECT ${ONE_TIME_KEY} FROM one_time_keys WHERE "user" = ${user} AND device_id = ${textValue(deviceId)}
      LIMIT ${limit}`,
  )

const COUNTED = row({ algorithm: text(), count: integer() })

/** How many keys of a device can be claimed, by algorithm. */
export const oneTimeKeyCounts = (db: Reader, { user, deviceId }: Device): Promise<(typeof COUNTED)['out'][]> =>
  db.all(
    COUNTED,
    sql`SELECT algorithm, count(*) AS count FROM one_time_keys
      WHERE "user" = ${user} AND device_id = ${textValue(deviceId)} AND NOT is_claimed GROUP BY algorithm`,
  )

const CLAIMABLE = row({
  user: integer(),
  deviceId: text(),
  hasOneTimeKey: boolean(),
  fallbackKeyId: optional(text()),
  fallbackKey: optional(jsonText()),
  isFallbackUsed: optional(boolean()),
})
export type Claimable = (typeof CLAIMABLE)['out']

/** What there is of an algorithm to be claimed of devices of these users that have one of these IDs. Any pairing of both. */
export const claimableKeys = (
  db: Reader,
  algorithm: string,
  { users, deviceIds }: { readonly users: Iterable<number>; readonly deviceIds: Iterable<string> },
): Promise<Claimable[]> =>
  db.all(
    CLAIMABLE,
    sql`SELECT d."user", d.device_id, EXISTS (SELECT 1 FROM one_time_keys AS k WHERE k."user" = d."user"
        AND k.device_id = d.device_id AND k.algorithm = ${textValue(algorithm)} AND NOT k.is_claimed), f.key_id, f.key, f.is_used
      FROM devices AS d LEFT JOIN fallback_keys AS f ON f."user" = d."user" AND f.device_id = d.device_id
        AND f.algorithm = ${textValue(algorithm)}
      WHERE d."user" ${oneOf(users)} AND d.device_id ${oneOfText(deviceIds)}`,
  )
