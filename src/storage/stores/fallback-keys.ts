import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { boolean, integer, jsonText, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'
import { oneTimeKeyScope } from './one-time-keys.ts'

/** The fallback key of a device for an algorithm. https://spec.matrix.org/v1.19/client-server-api/#one-time-and-fallback-keys */
export const FALLBACK_KEY = row({
  user: integer(),
  deviceId: text(),
  algorithm: text(),
  keyId: text(),
  key: jsonText(),
  isUsed: boolean(),
})
export type FallbackKeyRow = (typeof FALLBACK_KEY)['out']

/** A device has another fallback key. The one it has, uploaded again, stays used if it is. */
export const fallbackKeySet = operation('fallback_key_set', {
  row: FALLBACK_KEY,
  statement: {
    upsert: 'fallback_keys',
    key: ['user', 'device_id', 'algorithm'],
    when: 't.key_id <> excluded.key_id OR t.key <> excluded.key',
  },
  scope: oneTimeKeyScope,
})

/** The fallback key is given away, where no one-time key is left, and is used from then on. Written before one-time keys are claimed. */
export const fallbackKeyTaken = operation('fallback_key_taken', {
  row: row({ user: integer(), deviceId: text(), algorithm: text() }),
  statement: {
    update: 'fallback_keys',
    set: 'is_used = true',
    where: `t."user" = :user AND t.device_id = :device_id AND t.algorithm = :algorithm AND NOT EXISTS (
      SELECT 1 FROM one_time_keys AS k WHERE k."user" = :user AND k.device_id = :device_id AND k.algorithm = :algorithm
        AND NOT k.is_claimed)`,
  },
  scope: oneTimeKeyScope,
  fold: 'next batch',
  returning: row({ user: integer(), deviceId: text(), algorithm: text(), keyId: text(), key: jsonText() }),
})

/** A device has no fallback keys any more. */
export const fallbackKeysRemoved = operation('fallback_keys_removed', {
  row: row({ user: integer(), deviceId: text() }),
  statement: { remove: 'fallback_keys', where: 't."user" = :user AND t.device_id = :device_id' },
  scope: oneTimeKeyScope,
  fold: 'next batch',
})

/** The fallback keys of a device. */
export const fallbackKeysOf = (
  db: Reader,
  { user, deviceId }: { readonly user: number; readonly deviceId: string },
): Promise<FallbackKeyRow[]> =>
  db.all(
    FALLBACK_KEY,
    sql`SELECT ${FALLBACK_KEY} FROM fallback_keys WHERE "user" = ${user} AND device_id = ${textValue(deviceId)}
      ORDER BY algorithm`,
  )
