import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, jsonText, optional, row, text } from '#storage/row.ts'
import { oneOf, oneOfText, sql, textValue } from '#storage/sql.ts'

/** The keys that a device published, as canonical JSON. https://spec.matrix.org/v1.19/client-server-api/#device-keys */
export const DEVICE_KEYS = row({ user: integer(), deviceId: text(), keys: jsonText() })
export type DeviceKeysRow = (typeof DEVICE_KEYS)['out']

type Device = { readonly user: number; readonly deviceId: string }
const scope = ({ user, deviceId }: Device) => `device keys:${user}:${deviceId}`

/** A device publishes its keys, the first or others. */
export const deviceKeysSet = operation('device_keys_set', {
  row: DEVICE_KEYS,
  statement: { upsert: 'device_keys', key: ['user', 'device_id'] },
  scope,
  fold: 'last wins',
})

/** A device has no keys any more. */
export const deviceKeysRemoved = operation('device_keys_removed', {
  row: row({ user: integer(), deviceId: text() }),
  statement: { remove: 'device_keys', where: 't."user" = :user AND t.device_id = :device_id' },
  scope,
  fold: 'next batch',
})

/** The device has these keys still. */
export const deviceKeysAre = condition('device_keys_are', {
  row: DEVICE_KEYS,
  holds: 'EXISTS (SELECT 1 FROM device_keys WHERE "user" = :user AND device_id = :device_id AND keys = :keys)',
  scope,
})

/** The device is there. What belongs to it and is written under this condition goes when it goes. */
export const deviceExists = condition('device_exists', {
  row: row({ user: integer(), deviceId: text() }),
  holds: 'EXISTS (SELECT 1 FROM devices WHERE "user" = :user AND device_id = :device_id)',
  scope: ({ user, deviceId }) => `device:${user}:${deviceId}`,
})

/** The keys of one device, or `undefined`. */
export const deviceKeysOf = (db: Reader, user: number, deviceId: string): Promise<DeviceKeysRow | undefined> =>
  db.get(
    DEVICE_KEYS,
    sql`SELECT ${DEVICE_KEYS} FROM device_keys WHERE "user" = ${user} AND device_id = ${textValue(deviceId)}`,
  )

/** The keys of those of the user's devices that have some. */
export const deviceKeysOfDevices = (db: Reader, user: number, deviceIds: Iterable<string>): Promise<DeviceKeysRow[]> =>
  db.all(
    DEVICE_KEYS,
    sql`SELECT ${DEVICE_KEYS} FROM device_keys WHERE "user" = ${user} AND device_id ${oneOfText(deviceIds)}`,
  )

const NAMED = row({ user: integer(), deviceId: text(), keys: jsonText(), displayName: optional(text()) })
export type NamedDeviceKeys = (typeof NAMED)['out']

/** The keys of all devices of these users and the devices' names, by user and device, `limit` after `after`. */
export const deviceKeysOfUsers = (
  db: Reader,
  users: Iterable<number>,
  { after, limit }: { readonly after: Device; readonly limit: number },
): Promise<NamedDeviceKeys[]> =>
  db.all(
    NAMED,
    sql`SELECT k."user", k.device_id, k.keys, d.display_name FROM device_keys AS k
      JOIN devices AS d ON d."user" = k."user" AND d.device_id = k.device_id
      WHERE k."user" ${oneOf(users)} AND (k."user", k.device_id) > (${after.user}, ${textValue(after.deviceId)})
      ORDER BY k."user", k.device_id LIMIT ${limit}`,
  )

const DEVICE = row({ user: integer(), deviceId: text() })

/** The devices of these users, at most `limit`. */
export const devicesOfUsers = (db: Reader, users: Iterable<number>, limit: number): Promise<Device[]> =>
  db.all(DEVICE, sql`SELECT ${DEVICE} FROM devices WHERE "user" ${oneOf(users)} LIMIT ${limit}`)

/** The devices of these users that have one of these IDs, at most `limit`. */
export const devicesNamed = (
  db: Reader,
  users: Iterable<number>,
  { deviceIds, limit }: { readonly deviceIds: Iterable<string>; readonly limit: number },
): Promise<Device[]> =>
  db.all(
    DEVICE,
    sql`SELECT ${DEVICE} FROM devices WHERE "user" ${oneOf(users)} AND device_id ${oneOfText(deviceIds)} LIMIT ${limit}`,
  )
