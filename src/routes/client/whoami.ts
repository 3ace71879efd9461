import { getTokenOwner } from '#api/client/whoami.ts'
import { type Route, route } from '#http/server/route.ts'

export const whoamiRoutes = (): Route[] => [
  route(getTokenOwner, async ({ requester }) => ({
    user_id: requester.userId,
    device_id: requester.deviceId,
    is_guest: requester.isGuest,
  })),
]
