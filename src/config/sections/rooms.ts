import { duration, flag, jsonObject, text, textOrNumber, understood, whole } from '#config/kinds.ts'
import { derive, list, mapOf, option, orNone } from '#config/option.ts'
import { section } from '#config/section.ts'
import { DEFAULT_ROOM_VERSION, roomVersion, roomVersions } from '#protocol/room-versions.ts'

const PRESETS = ['private_chat', 'trusted_private_chat', 'public_chat']

const version = derive(textOrNumber(), (name, fail) => {
  if (roomVersion(name) === undefined)
    fail(`Expected a room version out of ${roomVersions.join(', ')}, and got ${name}.`)
  return name
})

const powerLevelOverride = derive(mapOf(orNone(jsonObject()), 'power levels for each preset'), (overrides, fail) => {
  for (const preset of Object.keys(overrides))
    if (!PRESETS.includes(preset)) fail(`There is no such preset. Expected one of ${PRESETS.join(', ')}.`, preset)
  return overrides
})

/** YAML reads a bare `off` as `false`. */
const encryptedRoomTypes = understood('`all`, `invite` or `off`', (value) =>
  value === false ? 'off' : (['all', 'invite', 'off'] as const).find((word) => word === value),
)

/** What rooms are like, and what users may do with them. */
export const rooms = section(
  { title: 'Rooms', doc: 'What new rooms are like, and what users may do in and with rooms.' },
  {
    defaultVersion: option('default_room_version', version, {
      default: DEFAULT_ROOM_VERSION,
      doc: 'The version of rooms whose creator does not ask for another.',
    }),
    encryptedByDefault: option('encryption_enabled_by_default_for_room_type', encryptedRoomTypes, {
      default: 'off',
      doc: 'Which new rooms are encrypted even where the client does not ask for it: `all`, `invite` (those one must be invited to) or `off`. Rooms of users of other servers are not touched, nor are rooms that exist.',
    }),
    powerLevelOverride: option('default_power_level_content_override', powerLevelOverride, {
      default: {},
      doc: 'For each preset (`private_chat`, `trusted_private_chat`, `public_chat`), keys of the power levels that new rooms begin with instead of the usual ones.',
    }),
    mayHavePerRoomProfiles: option('allow_per_room_profiles', flag(), {
      default: true,
      doc: 'Users may have another name and avatar in a room than elsewhere.',
    }),
    isInvitingForAdminsOnly: option('block_non_admin_invites', flag(), {
      default: false,
      doc: 'Only administrators of the server may invite.',
    }),
    areForgottenOnLeave: option('forget_rooms_on_leave', flag(), {
      default: false,
      doc: 'A user who leaves a room, or is kicked or banned, forgets it as well.',
    }),
    excludedFromSync: option('exclude_rooms_from_sync', list(text(), 'a list of room IDs'), {
      default: [],
      doc: 'Rooms that are left out of what clients are told. For rooms that make clients fail; the rooms stay joined.',
    }),
    redactedContentRetentionMs: option('redaction_retention_period', orNone(duration()), {
      default: '7d',
      doc: 'How long the content of a redacted event is kept for moderators, before it is removed from the database. `null` keeps it for ever.',
    }),
    maxTimelineLimit: option('filter_timeline_limit', whole({ min: -1 }), {
      default: 100,
      doc: 'How many events of a room a client may ask for at once; -1 for as many as it likes.',
    }),
  },
  ({ maxTimelineLimit, ...values }) => ({
    ...values,
    /** `undefined`: as many as a client likes. */
    maxTimelineLimit: maxTimelineLimit === -1 ? undefined : maxTimelineLimit,
  }),
)
