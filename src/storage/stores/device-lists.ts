import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { integer, position, row } from '#storage/row.ts'
import { oneOf, sql } from '#storage/sql.ts'

/** The last change of a user's devices or cross-signing keys. */
export const DEVICE_LIST_CHANGE = row({ user: integer(), pos: position() })
export type DeviceListChange = (typeof DEVICE_LIST_CHANGE)['out']

/** A user's devices or cross-signing keys are other ones than before. */
export const deviceListChanged = operation('device_list_changed', {
  row: DEVICE_LIST_CHANGE,
  statement: { upsert: 'device_list_changes', key: ['user'], prunesLog: true },
  scope: ({ user }) => `device list:${user}`,
  fold: 'last wins',
})

type Range = { readonly since: number; readonly upTo: number; readonly limit: number }

/** Whose devices changed last in the range, in the order of the changes. */
export const deviceListChanges = (db: Reader, { since, upTo, limit }: Range): Promise<DeviceListChange[]> =>
  db.all(
    DEVICE_LIST_CHANGE,
    sql`SELECT ${DEVICE_LIST_CHANGE} FROM device_list_changes WHERE pos > ${since} AND pos <= ${upTo}
      ORDER BY pos LIMIT ${limit}`,
  )

const ROOM = row({ room: integer() })

/** Those of the rooms in which some membership changed in the range. */
export const roomsWithMoves = async (
  db: Reader,
  rooms: Iterable<number>,
  { since, upTo }: Pick<Range, 'since' | 'upTo'>,
): Promise<number[]> => {
  const found = await db.all(
    ROOM,
    sql`SELECT r.room FROM rooms AS r WHERE r.room ${oneOf(rooms)} AND EXISTS (SELECT 1 FROM log AS l
      WHERE l.room = r.room AND l.kind = ${LOG_KIND.membership} AND l.pos > ${since} AND l.pos <= ${upTo})`,
  )
  return found.map(({ room }) => room)
}

/** Whose membership in the room changed in the range, in the order of the changes. */
export const movesInRoom = (
  db: Reader,
  room: number,
  { since, upTo, limit }: Range,
): Promise<(typeof DEVICE_LIST_CHANGE)['out'][]> =>
  db.all(
    DEVICE_LIST_CHANGE,
    sql`SELECT ${DEVICE_LIST_CHANGE} FROM log WHERE room = ${room} AND kind = ${LOG_KIND.membership}
      AND pos > ${since} AND pos <= ${upTo} AND "user" IS NOT NULL ORDER BY pos LIMIT ${limit}`,
  )

const SIGNED = row({ item: integer() })

/** Whose keys the user signed in the range. */
export const usersSignedBy = async (db: Reader, user: number, { since, upTo, limit }: Range): Promise<number[]> => {
  const found = await db.all(
    SIGNED,
    sql`SELECT DISTINCT ${SIGNED} FROM log WHERE "user" = ${user} AND kind = ${LOG_KIND.keySignature}
      AND pos > ${since} AND pos <= ${upTo} LIMIT ${limit}`,
  )
  return found.map(({ item }) => item)
}

const SHARER = row({ user: integer() })

/** Those of the users who are in one of the rooms. */
export const usersInRooms = async (db: Reader, users: Iterable<number>, rooms: Iterable<number>): Promise<number[]> => {
  const found = await db.all(
    SHARER,
    sql`SELECT DISTINCT m."user" FROM memberships AS m
      WHERE m."user" ${oneOf(users)} AND m.membership = 'join' AND m.room ${oneOf(rooms)}`,
  )
  return found.map(({ user }) => user)
}
