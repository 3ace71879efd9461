import { deleteRoomAlias, getLocalAliases, getRoomIdByAlias, setRoomAlias } from '#api/client/directory.ts'
import { type Route, route } from '#http/server/route.ts'
import type { RoomAliases } from '#services/rooms/aliases.ts'
import type { RoomDoor } from '#services/rooms/room-access.ts'

type Services = { readonly aliases: RoomAliases; readonly door: RoomDoor; readonly serverName: string }

/** Aliases of rooms. https://spec.matrix.org/v1.19/client-server-api/#room-aliases */
export const directoryRoutes = ({ aliases, door, serverName }: Services): Route[] => [
  route(getRoomIdByAlias, async ({ params: { roomAlias } }) => ({
    room_id: await aliases.find(roomAlias),
    servers: [serverName],
  })),
  route(setRoomAlias, async ({ requester, params: { roomAlias }, body }) => {
    await aliases.add(requester, roomAlias, body.room_id)
    return {}
  }),
  route(deleteRoomAlias, async ({ requester, params: { roomAlias } }) => {
    await aliases.remove(requester, roomAlias)
    return {}
  }),
  route(getLocalAliases, async ({ requester, params: { roomId } }) => {
    const { view } = await door.openPresent(requester, roomId)
    return { aliases: await aliases.ofRoom(view.room) }
  }),
]
