import type { Route } from '#http/server/route.ts'
import { registerRoutes } from '#routes/admin/register.ts'
import { accountDataRoutes } from '#routes/client/account-data.ts'
import { capabilitiesRoutes } from '#routes/client/capabilities.ts'
import { createRoomRoutes } from '#routes/client/create-room.ts'
import { crossSigningRoutes } from '#routes/client/cross-signing.ts'
import { deviceManagementRoutes } from '#routes/client/device-management.ts'
import { directoryRoutes } from '#routes/client/directory.ts'
import { eventContextRoutes } from '#routes/client/event-context.ts'
import { filterRoutes } from '#routes/client/filter.ts'
import { joiningRoutes } from '#routes/client/joining.ts'
import { keyBackupRoutes } from '#routes/client/key-backup.ts'
import { keysRoutes } from '#routes/client/keys.ts'
import { listJoinedRoomsRoutes } from '#routes/client/list-joined-rooms.ts'
import { loginRoutes } from '#routes/client/login.ts'
import { logoutRoutes } from '#routes/client/logout.ts'
import { mediaRoutes } from '#routes/client/media.ts'
import { messagePaginationRoutes } from '#routes/client/message-pagination.ts'
import { passwordManagementRoutes } from '#routes/client/password-management.ts'
import { profileRoutes } from '#routes/client/profile.ts'
import { pushRuleRoutes } from '#routes/client/pushrules.ts'
import { receiptRoutes } from '#routes/client/receipts.ts'
import { redactionRoutes } from '#routes/client/redaction.ts'
import { refreshRoutes } from '#routes/client/refresh.ts'
import { registrationRoutes } from '#routes/client/registration.ts'
import { roomMembershipRoutes } from '#routes/client/room-membership.ts'
import { roomSendRoutes } from '#routes/client/room-send.ts'
import { roomStateRoutes } from '#routes/client/room-state.ts'
import { roomsRoutes } from '#routes/client/rooms.ts'
import { syncRoutes } from '#routes/client/sync.ts'
import { tagRoutes } from '#routes/client/tags.ts'
import { toDeviceRoutes } from '#routes/client/to-device.ts'
import { typingRoutes } from '#routes/client/typing.ts'
import { versionsRoutes } from '#routes/client/versions.ts'
import { wellknownRoutes } from '#routes/client/wellknown.ts'
import { whoamiRoutes } from '#routes/client/whoami.ts'
import { healthRoutes } from '#routes/health.ts'
import type { Services } from './homeserver.ts'

/** Every route that a server answers. */
export const allRoutes = (services: Services): Route[] => [
  ...healthRoutes(),
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
  ...roomStateRoutes(services),
  ...redactionRoutes(services),
  ...roomMembershipRoutes(services),
  ...roomsRoutes(services),
  ...messagePaginationRoutes(services),
  ...eventContextRoutes(services),
  ...directoryRoutes(services),
  ...keysRoutes(services),
  ...crossSigningRoutes(services),
  ...keyBackupRoutes(services),
  ...toDeviceRoutes(services),
  ...syncRoutes(services),
  ...accountDataRoutes(services),
  ...tagRoutes(services),
  ...filterRoutes(services),
  ...receiptRoutes(services),
  ...typingRoutes(services),
  ...pushRuleRoutes(services),
  ...listJoinedRoomsRoutes(services),
  ...mediaRoutes(services),
]
