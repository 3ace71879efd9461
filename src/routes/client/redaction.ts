import { redactEvent } from '#api/client/redaction.ts'
import { type Route, route } from '#http/server/route.ts'
import type { RoomSender } from '#services/events/room-sender.ts'

/** Redacting events. https://spec.matrix.org/v1.19/client-server-api/#redactions */
export const redactionRoutes = ({ roomSender }: { readonly roomSender: RoomSender }): Route[] => [
  route(redactEvent, async ({ requester, params: { roomId, eventId, txnId }, body }) => ({
    event_id: await roomSender.redact(requester, {
      roomId,
      type: 'm.room.redaction',
      target: eventId,
      content: body ?? {},
      txn: { path: `redact/${roomId}/${eventId}`, txnId },
    }),
  })),
]
