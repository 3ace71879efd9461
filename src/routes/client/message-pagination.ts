import { getRoomEvents } from '#api/client/message-pagination.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { Pages } from '#services/rooms/pages.ts'

/** Reading a room page by page. https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room */
export const messagePaginationRoutes = ({ pages }: { readonly pages: Pages }): Route[] => [
  route(
    getRoomEvents,
    async ({ requester, params: { roomId }, query: { dir, from, to, limit, filter } }) =>
      new JsonText(await pages.messages(requester, roomId, { dir, from, to, limit, filter })),
  ),
]
