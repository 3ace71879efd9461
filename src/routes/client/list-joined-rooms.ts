import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import { type Route, route } from '#http/server/route.ts'
import type { JoinedRooms } from '#services/rooms/joined-rooms.ts'

/** The rooms that a user is in. https://spec.matrix.org/v1.19/client-server-api/#room-membership */
export const listJoinedRoomsRoutes = ({ joinedRooms }: { readonly joinedRooms: JoinedRooms }): Route[] => [
  route(getJoinedRooms, async ({ requester }) => ({ joined_rooms: await joinedRooms.list(requester) })),
]
