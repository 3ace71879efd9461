import type { UserId } from '#protocol/identifiers.ts'
import type { MemberSummary, RoomView } from '#rooms/room-view.ts'
import type { Users } from '#services/accounts/users.ts'
import { getString } from '#util/json.ts'

const MAX_HEROES = 5

/** What a client needs to name a room: the members' counts, and some of them where the room has no name. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync_response-200_roomsummary */
export const printSummary = async (
  view: RoomView,
  { user, state }: { readonly user: number; readonly state: number },
  { users }: { readonly users: Users },
): Promise<string> => {
  const members = await view.members(state)
  const fields = [`"m.joined_member_count":${members.joined}`, `"m.invited_member_count":${members.invited}`]
  if (!(await hasName(view, state))) fields.push(`"m.heroes":${JSON.stringify(await heroes(members, user, users))}`)
  return `{${fields.join(',')}}`
}

async function hasName(view: RoomView, state: number): Promise<boolean> {
  const name = await view.stateEvent(state, 'm.room.name', '')
  const alias = await view.stateEvent(state, 'm.room.canonical_alias', '')
  return (getString(name?.content, 'name') ?? '') !== '' || (getString(alias?.content, 'alias') ?? '') !== ''
}

/** The first members in the order of their events, without the user; those who left where nobody else is there. */
async function heroes({ present, former }: MemberSummary, user: number, users: Users): Promise<UserId[]> {
  const others = present.filter((one) => one !== user)
  const chosen = (others.length > 0 ? others : former.filter((one) => one !== user)).slice(0, MAX_HEROES)
  const names = await users.byNumbers(chosen)
  return chosen.flatMap((one) => (names.get(one)?.userId as UserId | undefined) ?? [])
}
