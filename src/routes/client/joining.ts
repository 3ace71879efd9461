import { joinRoom, joinRoomById } from '#api/client/joining.ts'
import { type Route, route } from '#http/server/route.ts'
import type { RoomAliases } from '#services/rooms/aliases.ts'
import type { Memberships } from '#services/rooms/memberships.ts'

type Services = { readonly roomMemberships: Memberships; readonly aliases: RoomAliases }

/** Joining rooms. https://spec.matrix.org/v1.19/client-server-api/#joining-rooms */
export const joiningRoutes = ({ roomMemberships, aliases }: Services): Route[] => [
  route(joinRoomById, async ({ requester, params: { roomId }, body }) => {
    await roomMemberships.join(requester, roomId, { reason: body?.reason })
    return { room_id: roomId }
  }),
  route(joinRoom, async ({ requester, params: { roomIdOrAlias }, body }) => {
    const roomId = await aliases.resolve(roomIdOrAlias)
    await roomMemberships.join(requester, roomId, { reason: body?.reason })
    return { room_id: roomId }
  }),
]
