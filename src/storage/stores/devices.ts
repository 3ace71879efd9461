import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, optional, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** A device of a local user. */
export const DEVICE = row({
  user: integer(),
  deviceId: text(),
  displayName: optional(text()),
  createdTs: integer(),
  lastSeenTs: optional(integer()),
  lastSeenIp: optional(text()),
  lastSeenUserAgent: optional(text()),
})
export type DeviceRow = (typeof DEVICE)['out']

const KEY = row({ user: integer(), deviceId: text() })
const scope = ({ user, deviceId }: { readonly user: number; readonly deviceId: string }) => `device:${user}:${deviceId}`

/** A device is there, new or known; a known one keeps what it has. */
export const deviceAdded = operation('device_added', {
  row: DEVICE,
  statement: { insert: 'devices', ignoreExisting: true },
  scope,
  fold: 'next batch',
})

/** A device has another name. */
export const deviceRenamed = operation('device_renamed', {
  row: row({ user: integer(), deviceId: text(), displayName: optional(text()) }),
  statement: {
    update: 'devices',
    set: 'display_name = :display_name',
    where: 't."user" = :user AND t.device_id = :device_id',
  },
  scope,
  fold: 'last wins',
})

/** A device was used. */
export const deviceSeen = operation('device_seen', {
  row: row({
    user: integer(),
    deviceId: text(),
    lastSeenTs: integer(),
    lastSeenIp: text(),
    lastSeenUserAgent: optional(text()),
  }),
  statement: {
    update: 'devices',
    set: 'last_seen_ts = :last_seen_ts, last_seen_ip = :last_seen_ip, last_seen_user_agent = :last_seen_user_agent',
    where: 't."user" = :user AND t.device_id = :device_id',
  },
  scope: ({ user, deviceId }) => `device seen:${user}:${deviceId}`,
  fold: 'last wins',
})

/** A device is gone. */
export const deviceRemoved = operation('device_removed', {
  row: KEY,
  statement: { remove: 'devices', where: 't."user" = :user AND t.device_id = :device_id' },
  scope,
  fold: 'next batch',
})

/** The user has no cross-signing key whose public part is this: that could be taken for a device. https://spec.matrix.org/v1.19/client-server-api/#cross-signing */
export const deviceIdNoKey = condition('device_id_no_key', {
  row: KEY,
  holds: 'NOT EXISTS (SELECT 1 FROM cross_signing_keys WHERE "user" = :user AND public_key = :device_id)',
  scope,
})

/** All devices of a user, by their IDs. */
export const devicesOf = (db: Reader, user: number): Promise<DeviceRow[]> =>
  db.all(DEVICE, sql`SELECT ${DEVICE} FROM devices WHERE "user" = ${user} ORDER BY device_id`)

/** One device of a user, or `undefined`. */
export const deviceOf = (db: Reader, user: number, deviceId: string): Promise<DeviceRow | undefined> =>
  db.get(DEVICE, sql`SELECT ${DEVICE} FROM devices WHERE "user" = ${user} AND device_id = ${textValue(deviceId)}`)
