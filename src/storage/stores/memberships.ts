import type { Reader } from '#storage/database.ts'
import { operation } from '#storage/operation.ts'
import { boolean, integer, position, row, text } from '#storage/row.ts'
import { oneOf, oneOfText, sql } from '#storage/sql.ts'

/** What a member of a room is at present. */
export type MembershipName = 'join' | 'invite' | 'leave' | 'ban' | 'knock'

/** The current membership of a user in a room. */
export const MEMBERSHIP = row({
  room: integer(),
  user: integer(),
  membership: text<MembershipName>(),
  event: integer(),
  pos: position(),
  sincePos: position(),
  isForgotten: boolean(),
})
export type MembershipRow = (typeof MEMBERSHIP)['out']

const scope = ({ room, user }: { readonly room: number; readonly user: number }) => `membership:${room}:${user}`

/** A membership event of the same kind as the one before: a profile changed. */
export const membershipRenewed = operation('membership_renewed', {
  row: row({ room: integer(), user: integer(), event: integer(), pos: position() }),
  statement: { update: 'memberships', set: 'event = :event, pos = :pos', where: 't.room = :room AND t."user" = :user' },
  scope,
  fold: 'last wins',
})

/** A membership begins, changes or ends. */
export const membershipChanged = operation('membership_changed', {
  row: MEMBERSHIP,
  statement: { upsert: 'memberships', key: ['room', 'user'] },
  scope,
  fold: 'last wins',
})

/** The user wants to see nothing more of a room that they left. */
export const roomForgotten = operation('room_forgotten', {
  row: row({ room: integer(), user: integer() }),
  statement: {
    update: 'memberships',
    set: 'is_forgotten = true',
    where: 't.room = :room AND t."user" = :user',
  },
  scope,
  fold: 'next batch',
})

/** All memberships of a user. */
export const membershipsOf = (db: Reader, user: number): Promise<MembershipRow[]> =>
  db.all(MEMBERSHIP, sql`SELECT ${MEMBERSHIP} FROM memberships WHERE "user" = ${user}`)

/** Memberships of these users in the room. */
export const membershipsIn = (db: Reader, room: number, users: Iterable<number>): Promise<MembershipRow[]> =>
  db.all(MEMBERSHIP, sql`SELECT ${MEMBERSHIP} FROM memberships WHERE room = ${room} AND "user" ${oneOf(users)}`)

/** The memberships of a room in the order of users' numbers, `limit` after `after`. */
export const membershipsOfRoom = (
  db: Reader,
  { room, after, limit }: { readonly room: number; readonly after: number; readonly limit: number },
): Promise<MembershipRow[]> =>
  db.all(
    MEMBERSHIP,
    sql`SELECT ${MEMBERSHIP} FROM memberships WHERE room = ${room} AND "user" > ${after} ORDER BY "user" LIMIT ${limit}`,
  )

const LOCAL = row({ user: integer(), membership: text<MembershipName>(), pos: integer() })
/** The local users of a room and what they are. */
export const localMembersOf = (db: Reader, room: number): Promise<(typeof LOCAL)['out'][]> =>
  db.all(
    LOCAL,
    sql`SELECT m."user", m.membership, m.pos FROM memberships AS m JOIN users AS u ON u."user" = m."user"
      WHERE m.room = ${room} AND u.is_local`,
  )

const GUEST = row({ user: integer(), userId: text() })
/** The guests who are in a room or invited to it, in the order of users' numbers, `limit` after `after`. */
export const guestsOfRoom = (
  db: Reader,
  { room, after, limit }: { readonly room: number; readonly after: number; readonly limit: number },
): Promise<(typeof GUEST)['out'][]> =>
  db.all(
    GUEST,
    sql`SELECT m."user", u.user_id FROM memberships AS m JOIN accounts AS a ON a."user" = m."user"
      JOIN users AS u ON u."user" = m."user"
      WHERE m.room = ${room} AND m."user" > ${after} AND m.membership IN ('join', 'invite') AND a.kind = 'guest'
      ORDER BY m."user" LIMIT ${limit}`,
  )

const COUNTED = row({ membership: text<MembershipName>(), count: integer() })
/** How many members of each kind a room has. */
export const membershipCounts = async (db: Reader, room: number): Promise<ReadonlyMap<MembershipName, number>> => {
  const rows = await db.all(
    COUNTED,
    sql`SELECT membership, count(*) AS count FROM memberships WHERE room = ${room} GROUP BY membership`,
  )
  return new Map(rows.map(({ membership, count }) => [membership, count]))
}

const HERO = row({ user: integer() })
/** The members that became so first. */
export const heroRows = async (
  db: Reader,
  {
    room,
    memberships,
    limit,
  }: { readonly room: number; readonly memberships: readonly MembershipName[]; readonly limit: number },
): Promise<number[]> => {
  const rows = await db.all(
    HERO,
    sql`SELECT ${HERO} FROM memberships WHERE room = ${room} AND membership ${oneOfText(memberships)}
      ORDER BY event LIMIT ${limit}`,
  )
  return rows.map(({ user }) => user)
}
