import type { Route } from '#http/server/route.ts'
import { registerRoutes } from '#routes/admin/register.ts'
import { createRoomRoutes } from '#routes/client/create-room.ts'
import { directoryRoutes } from '#routes/client/directory.ts'
import { eventContextRoutes } from '#routes/client/event-context.ts'
import { joiningRoutes } from '#routes/client/joining.ts'
import { messagePaginationRoutes } from '#routes/client/message-pagination.ts'
import { redactionRoutes } from '#routes/client/redaction.ts'
import { roomMembershipRoutes } from '#routes/client/room-membership.ts'
import { roomSendRoutes } from '#routes/client/room-send.ts'
import { roomStateRoutes } from '#routes/client/room-state.ts'
import { roomsRoutes } from '#routes/client/rooms.ts'
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
  ...roomStateRoutes(services),
  ...redactionRoutes(services),
  ...roomMembershipRoutes(services),
  ...roomsRoutes(services),
  ...messagePaginationRoutes(services),
  ...eventContextRoutes(services),
  ...directoryRoutes(services),
  ...syncRoutes(services),
]
