import type { RoomVersionRules } from '#protocol/room-versions.ts'
import type { Json, JsonObject } from '#util/json.ts'

/** What a preset sets. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom */
export type Preset = 'private_chat' | 'trusted_private_chat' | 'public_chat'

type PresetState = {
  readonly joinRule: 'invite' | 'public'
  readonly historyVisibility: 'shared'
  readonly guestAccess: 'can_join' | 'forbidden'
  /** Invitees get the creator's power. */
  readonly trustsInvitees: boolean
}

/** The state of rooms made by each preset. */
export const presets: Readonly<Record<Preset, PresetState>> = {
  private_chat: { joinRule: 'invite', historyVisibility: 'shared', guestAccess: 'can_join', trustsInvitees: false },
  trusted_private_chat: {
    joinRule: 'invite',
    historyVisibility: 'shared',
    guestAccess: 'can_join',
    trustsInvitees: true,
  },
  public_chat: { joinRule: 'public', historyVisibility: 'shared', guestAccess: 'forbidden', trustsInvitees: false },
}

/** The power levels of a new room, before the client's own wishes. Creators who stand above all levels are not listed. */
export const defaultPowerLevels = (
  rules: RoomVersionRules,
  users: { readonly creator: string; readonly trusted: readonly string[] },
): JsonObject => {
  const events: Record<string, Json> = {
    'm.room.name': 50,
    'm.room.power_levels': 100,
    'm.room.history_visibility': 100,
    'm.room.canonical_alias': 50,
    'm.room.avatar': 50,
    // Above what can be given to anybody who is no creator by accident.
    'm.room.tombstone': rules.privilegedCreators ? 150 : 100,
    'm.room.server_acl': 100,
    'm.room.encryption': 100,
  }
  const listed = rules.privilegedCreators ? [] : [users.creator, ...users.trusted]
  return {
    users: Object.fromEntries(listed.map((userId) => [userId, 100])),
    users_default: 0,
    events,
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: 0,
    historical: 100,
  }
}
