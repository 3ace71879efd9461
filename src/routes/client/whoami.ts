import { getTokenOwner } from '#api/client/whoami.ts'
import { type Route, route } from '#http/server/route.ts'

/** Whom a token belongs to. https://spec.matrix.org/v1.19/client-server-api/#current-account-information */
export const whoamiRoutes = (): Route[] => [
  route(getTokenOwner, async ({ requester }) => ({
    user_id: requester.userId,
    device_id: requester.deviceId,
    is_guest: requester.isGuest,
  })),
]
