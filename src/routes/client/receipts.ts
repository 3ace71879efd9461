import { setReadMarker } from '#api/client/read-markers.ts'
import { postReceipt } from '#api/client/receipts.ts'
import { type Route, route } from '#http/server/route.ts'
import type { Receipts } from '#services/ephemeral/receipts.ts'

/** Receipts and markers of what was read. https://spec.matrix.org/v1.19/client-server-api/#receipts */
export const receiptRoutes = ({ receipts }: { readonly receipts: Receipts }): Route[] => [
  route(postReceipt, async ({ requester, params: { roomId, receiptType, eventId }, body }) => {
    await receipts.send(requester, { roomId, type: receiptType, eventId, threadId: body?.thread_id })
    return {}
  }),
  route(setReadMarker, async ({ requester, params: { roomId }, body }) => {
    await receipts.mark(requester, {
      roomId,
      fullyRead: body['m.fully_read'],
      read: body['m.read'],
      privatelyRead: body['m.read.private'],
    })
    return {}
  }),
]
