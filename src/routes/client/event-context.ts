import { getEventContext } from '#api/client/event-context.ts'
import { JsonText, type Route, route } from '#http/server/route.ts'
import type { Pages } from '#services/rooms/pages.ts'

/** What came before and after an event. https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room */
export const eventContextRoutes = ({ pages }: { readonly pages: Pages }): Route[] => [
  route(
    getEventContext,
    async ({ requester, params: { roomId, eventId }, query: { limit, filter } }) =>
      new JsonText(await pages.context(requester, roomId, { eventId, limit, filter })),
  ),
]
