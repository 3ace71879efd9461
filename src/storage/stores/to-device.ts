import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { integer, jsonText, optional, position, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** A message that waits for a device. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging */
export const TO_DEVICE = row({
  user: integer(),
  deviceId: text(),
  pos: position(),
  sender: integer(),
  type: text(),
  content: jsonText(),
})
export type ToDeviceRow = (typeof TO_DEVICE)['out']

type Device = { readonly user: number; readonly deviceId: string }
const scope = ({ user, deviceId }: Device) => `to device:${user}:${deviceId}`

/** A message waits for a device, if that is there. */
export const toDeviceAdded = operation('to_device_added', {
  row: TO_DEVICE,
  statement: {
    insert: 'to_device',
    where: 'EXISTS (SELECT 1 FROM devices AS d WHERE d."user" = :user AND d.device_id = :device_id)',
  },
  scope,
})

/** The messages of a device up to a position have arrived, or go with the device. */
export const toDeviceRemoved = operation('to_device_removed', {
  row: row({ user: integer(), deviceId: text(), upTo: integer() }),
  statement: {
    remove: 'to_device',
    where: 't."user" = :user AND t.device_id = :device_id AND t.pos <= :up_to',
    prunesLog: true,
  },
  scope,
  fold: 'next batch',
})

/** The messages that wait for a device in the range, oldest first, at most `limit`. */
export const toDeviceMessages = (
  db: Reader,
  { user, deviceId }: Device,
  { since, upTo, limit }: { readonly since: number; readonly upTo: number; readonly limit: number },
): Promise<ToDeviceRow[]> =>
  db.all(
    TO_DEVICE,
    sql`SELECT ${TO_DEVICE} FROM to_device WHERE "user" = ${user} AND device_id = ${textValue(deviceId)}
      AND pos > ${since} AND pos <= ${upTo} ORDER BY pos LIMIT ${limit}`,
  )

const ENDS = row({ first: optional(integer()), last: optional(integer()) })

/** The positions of the first and the last message that wait for a device; `undefined` where none does. */
export const toDeviceEnds = async (
  db: Reader,
  { user, deviceId }: Device,
): Promise<{ readonly first: number; readonly last: number } | undefined> => {
  const id = textValue(deviceId)
  const found = await db.get(
    ENDS,
    sql`SELECT (SELECT pos FROM to_device WHERE "user" = ${user} AND device_id = ${id} ORDER BY pos LIMIT 1),
      (SELECT pos FROM to_device WHERE "user" = ${user} AND device_id = ${id} ORDER BY pos DESC LIMIT 1)`,
  )
  return found?.first === undefined || found.last === undefined ? undefined : { first: found.first, last: found.last }
}
