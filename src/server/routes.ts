import type { Route } from '#http/server/route.ts'
import { registerRoutes } from '#routes/admin/register.ts'
import { capabilitiesRoutes } from '#routes/client/capabilities.ts'
import { createRoomRoutes } from '#routes/client/create-room.ts'
import { deviceManagementRoutes } from '#routes/client/device-management.ts'
import { joiningRoutes } from '#routes/client/joining.ts'
import { loginRoutes } from '#routes/client/login.ts'
import { logoutRoutes } from '#routes/client/logout.ts'
import { passwordManagementRoutes } from '#routes/client/password-management.ts'
import { profileRoutes } from '#routes/client/profile.ts'
import { refreshRoutes } from '#routes/client/refresh.ts'
import { registrationRoutes } from '#routes/client/registration.ts'
import { roomSendRoutes } from '#routes/client/room-send.ts'
import { syncRoutes } from '#routes/client/sync.ts'
import { versionsRoutes } from '#routes/client/versions.ts'
import { wellknownRoutes } from '#routes/client/wellknown.ts'
import { whoamiRoutes } from '#routes/client/whoami.ts'
import type { Services } from './homeserver.ts'

/** Every route that a server answers. */
export const allRoutes = (services: Services): Route[] => [
  ...registerRoutes(services),
  ...versionsRoutes(services),
  ...wellknownRoutes(services),
  ...capabilitiesRoutes(services),
  ...registrationRoutes(services),
  ...loginRoutes(services),
  ...refreshRoutes(services),
  ...logoutRoutes(services),
  ...whoamiRoutes(),
  ...passwordManagementRoutes(services),
  ...deviceManagementRoutes(services),
  ...profileRoutes(services),
  ...createRoomRoutes(services),
  ...joiningRoutes(services),
  ...roomSendRoutes(services),
  ...syncRoutes(services),
]
