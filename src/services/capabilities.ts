import type { Requester } from '#api/requester.ts'
import { roomVersions } from '#protocol/room-versions.ts'

/** What of the configuration clients see as capabilities. */
export type CapabilitySettings = {
  readonly defaultRoomVersion: string
  readonly mayChangePassword: boolean
  readonly mayGetLoginToken: boolean
  readonly maySetDisplayName: boolean
  readonly maySetAvatarUrl: boolean
  readonly areRoomsForgottenOnLeave: boolean
}

/** What this server and the account can do. https://spec.matrix.org/v1.19/client-server-api/#capabilities-negotiation */
export const capabilitiesOf = (requester: Requester, settings: CapabilitySettings) => {
  const maySetName = settings.maySetDisplayName || requester.isAdmin
  const maySetAvatar = settings.maySetAvatarUrl || requester.isAdmin
  const disallowed = [...(maySetName ? [] : ['displayname']), ...(maySetAvatar ? [] : ['avatar_url'])]
  return {
    'm.room_versions': {
      default: settings.defaultRoomVersion,
      available: Object.fromEntries(roomVersions.map((version) => [version, 'stable' as const])),
    },
    'm.change_password': { enabled: settings.mayChangePassword },
    'm.profile_fields': { enabled: true, ...(disallowed.length === 0 ? {} : { disallowed }) },
    'm.set_displayname': { enabled: maySetName },
    'm.set_avatar_url': { enabled: maySetAvatar },
    'm.3pid_changes': { enabled: false },
    'm.get_login_token': { enabled: settings.mayGetLoginToken },
    'm.forget_forced_upon_leave': { enabled: settings.areRoomsForgottenOnLeave },
  }
}
