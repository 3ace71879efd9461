import { ban, unban } from '#api/client/banning.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { kick } from '#api/client/kicking.ts'
import { forgetRoom, leaveRoom } from '#api/client/leaving.ts'
import { type Route, route } from '#http/server/route.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { Memberships } from '#services/rooms/memberships.ts'

/** Inviting, kicking, banning, leaving and forgetting. https://spec.matrix.org/v1.19/client-server-api/#room-membership */
export const roomMembershipRoutes = ({ roomMemberships }: { readonly roomMemberships: Memberships }): Route[] => [
  route(inviteUser, async ({ requester, params: { roomId }, body }) => {
    const { user_id: target, reason } = body
    if (target === undefined) await roomMemberships.inviteByAddress(requester, roomId)
    else await roomMemberships.invite(requester, { roomId, target: target as UserId, reason })
    return {}
  }),
  route(kick, async ({ requester, params: { roomId }, body: { user_id: target, reason } }) => {
    await roomMemberships.kick(requester, { roomId, target, reason })
    return {}
  }),
  route(ban, async ({ requester, params: { roomId }, body: { user_id: target, reason } }) => {
    await roomMemberships.ban(requester, { roomId, target, reason })
    return {}
  }),
  route(unban, async ({ requester, params: { roomId }, body: { user_id: target, reason } }) => {
    await roomMemberships.unban(requester, { roomId, target, reason })
    return {}
  }),
  route(leaveRoom, async ({ requester, params: { roomId }, body }) => {
    await roomMemberships.leave(requester, roomId, body?.reason)
    return {}
  }),
  route(forgetRoom, async ({ requester, params: { roomId } }) => {
    await roomMemberships.forget(requester, roomId)
    return {}
  }),
]
