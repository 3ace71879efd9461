import type { Route } from '#http/server/route.ts'
import { registerRoutes } from '#routes/admin/register.ts'
import { createRoomRoutes } from '#routes/client/create-room.ts'
import { joiningRoutes } from '#routes/client/joining.ts'
import { roomSendRoutes } from '#routes/client/room-send.ts'
import { syncRoutes } from '#routes/client/sync.ts'
import { versionsRoutes } from '#routes/client/versions.ts'
import type { Services } from './homeserver.ts'

/** Every route that a server answers. */
export const allRoutes = (services: Services): Route[] => [
  ...registerRoutes(services),
  ...versionsRoutes(services),
  ...createRoomRoutes(services),
  ...joiningRoutes(services),
  ...roomSendRoutes(services),
  ...syncRoutes(services),
]
