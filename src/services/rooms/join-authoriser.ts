import { powerLevelsOf } from '#protocol/auth/auth-state.ts'
import { forbidden } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { powerOf } from '#protocol/power-levels.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { Users } from '#services/accounts/users.ts'
import { get, getString } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'

type Deps = { readonly rooms: RoomRegistry; readonly memberships: MembershipIndex; readonly users: Users }

/**
 * The user on whose power a restricted join stands, where one is needed: a local member who may invite, if the joiner is in one of the
 * rooms that the join rule allows. https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms
 */
export async function joinAuthoriser(room: ActiveRoom, userId: UserId, deps: Deps): Promise<UserId | undefined> {
  const rules = (await room.stateEvent('m.room.join_rules', ''))?.content
  const joinRule = getString(rules, 'join_rule')
  const isRestricted =
    (joinRule === 'restricted' && room.rules.restricted) ||
    (joinRule === 'knock_restricted' && room.rules.knockRestricted)
  const current = getString((await room.stateEvent('m.room.member', userId))?.content, 'membership')
  if (!isRestricted || current === 'invite' || current === 'join') return undefined
  if (!(await isAllowed(userId, get(rules, 'allow'), deps)))
    throw forbidden('You are in none of the rooms whose members may join')
  const authoriser = await localInviter(room, deps)
  if (authoriser === undefined) throw forbidden('Nobody here may let you in')
  return authoriser
}

async function isAllowed(userId: UserId, allow: unknown, { users, memberships, rooms }: Deps): Promise<boolean> {
  if (!Array.isArray(allow)) return false
  const user = await users.find(userId)
  if (user === undefined) return false
  const own = await memberships.ofUser(user.user)
  for (const condition of allow.slice(0, 100)) {
    const roomId = getString(condition, 'room_id')
    if (getString(condition, 'type') !== 'm.room_membership' || roomId === undefined) continue
    const room = await rooms.byId(roomId)
    if (room !== undefined && own.get(room.room)?.membership === 'join') return true
  }
  return false
}

async function localInviter(room: ActiveRoom, { memberships, users }: Deps): Promise<UserId | undefined> {
  const members = [...(await memberships.ofRoom(room.room))].filter(([, membership]) => membership === 'join')
  const names = await users.byNumbers(members.map(([user]) => user))
  const state = await room.authState([
    ['m.room.power_levels', ''],
    ['m.room.create', ''],
  ])
  const levels = powerLevelsOf(state, room.rules)
  if (isRefusal(levels)) return undefined
  for (const { userId } of names.values()) {
    if (powerOf(userId, { create: state.create, powerLevels: levels }, room.rules) >= levels.invite)
      return userId as UserId
  }
  return undefined
}
