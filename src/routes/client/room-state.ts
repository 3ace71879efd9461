import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { type Route, route } from '#http/server/route.ts'
import type { RoomSender } from '#services/events/room-sender.ts'

/** Setting the state of rooms. https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room */
export const roomStateRoutes = ({ roomSender }: { readonly roomSender: RoomSender }): Route[] => [
  route(setRoomStateWithKey, async ({ requester, params: { roomId, eventType, stateKey }, body }) => ({
    event_id: await roomSender.sendState(requester, {
      roomId,
      type: eventType,
      stateKey,
      content: body,
      txn: undefined,
    }),
  })),
]
