import type { UserId } from '#protocol/identifiers.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { Users } from '#services/accounts/users.ts'
import type { Reader } from '#storage/database.ts'
import { heroRows, membershipCounts } from '#storage/stores/memberships.ts'
import { getString } from '#util/json.ts'

const MAX_HEROES = 5

/** What a client needs to name a room: the members' counts, and some of them where the room has no name. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary */
export const printSummary = async (
  view: RoomView,
  { user, state }: { readonly user: number; readonly state: number },
  { db, users }: { readonly db: Reader; readonly users: Users },
): Promise<string> => {
  const counts = await membershipCounts(db, view.room)
  const fields = [
    `"m.joined_member_count":${counts.get('join') ?? 0}`,
    `"m.invited_member_count":${counts.get('invite') ?? 0}`,
  ]
  if (!(await hasName(view, state)))
    fields.push(`"m.heroes":${JSON.stringify(await heroes(view, user, { db, users }))}`)
  return `{${fields.join(',')}}`
}

async function hasName(view: RoomView, state: number): Promise<boolean> {
  const name = await view.stateEvent(state, 'm.room.name', '')
  const alias = await view.stateEvent(state, 'm.room.canonical_alias', '')
  return (getString(name?.content, 'name') ?? '') !== '' || (getString(alias?.content, 'alias') ?? '') !== ''
}

/** The first members in the order of their events, without the user; those who left where nobody else is there. */
async function heroes(
  view: RoomView,
  user: number,
  { db, users }: { readonly db: Reader; readonly users: Users },
): Promise<UserId[]> {
  const limit = MAX_HEROES + 1
  const present = (await heroRows(db, { room: view.room, memberships: ['join', 'invite'], limit })).filter(
    (one) => one !== user,
  )
  const chosen =
    present.length > 0
      ? present
      : (await heroRows(db, { room: view.room, memberships: ['leave', 'ban'], limit })).filter((one) => one !== user)
  const names = await users.byNumbers(chosen.slice(0, MAX_HEROES))
  return chosen.slice(0, MAX_HEROES).flatMap((one) => (names.get(one)?.userId as UserId | undefined) ?? [])
}
