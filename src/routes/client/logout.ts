import { logout, logoutAll } from '#api/client/logout.ts'
import { type Route, route } from '#http/server/route.ts'
import type { Devices } from '#services/accounts/devices.ts'

/** Logging out, on one device or on all. https://spec.matrix.org/v1.19/client-server-api/#legacy-login */
export const logoutRoutes = ({ devices }: { readonly devices: Devices }): Route[] => [
  route(logout, async ({ requester }) => {
    await devices.logout(requester)
    return {}
  }),
  route(logoutAll, async ({ requester }) => {
    await devices.logoutAll(requester)
    return {}
  }),
]
