import {
  getJoinedMembersByRoom,
  getMembersByRoom,
  getOneRoomEvent,
  getRoomState,
  getRoomStateWithKey,
} from '#api/client/rooms.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { RoomReader } from '#services/rooms/room-reader.ts'

/** Reading the state, the members and single events of rooms. https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room */
export const roomsRoutes = ({ roomReader }: { readonly roomReader: RoomReader }): Route[] => [
  route(
    getOneRoomEvent,
    async ({ requester, params: { roomId, eventId } }) =>
      new JsonText(await roomReader.event(requester, roomId, eventId)),
  ),
  route(
    getRoomState,
    async ({ requester, params: { roomId } }) => new JsonText(await roomReader.state(requester, roomId)),
  ),
  route(
    getRoomStateWithKey,
    async ({ requester, params: { roomId, eventType, stateKey }, query: { format } }) =>
      new JsonText(await roomReader.stateEvent(requester, roomId, { type: eventType, stateKey, format })),
  ),
  route(getMembersByRoom, async ({ requester, params: { roomId }, query }) => {
    const { at, membership, not_membership: notMembership } = query
    return new JsonText(await roomReader.members(requester, roomId, { at, membership, notMembership }))
  }),
  route(getJoinedMembersByRoom, async ({ requester, params: { roomId } }) => ({
    joined: await roomReader.joinedMembers(requester, roomId),
  })),
]
