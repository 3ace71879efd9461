import { sendMessage } from '#api/client/room-send.ts'
import { type Route, route } from '#http/server/route.ts'
import type { RoomSender } from '#services/events/room-sender.ts'

/** Sending messages. https://spec.matrix.org/v1.19/client-server-api/#sending-events-to-a-room */
export const roomSendRoutes = ({ roomSender }: { readonly roomSender: RoomSender }): Route[] => [
  route(sendMessage, async ({ requester, params: { roomId, eventType, txnId }, body }) => ({
    event_id: await roomSender.sendMessage(requester, {
      roomId,
      type: eventType,
      content: body,
      txn: { path: `send/${roomId}/${eventType}`, txnId },
    }),
  })),
]
