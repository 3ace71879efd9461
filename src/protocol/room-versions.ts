/** How a room version behaves, as data. No code compares version names: it asks these fields. https://spec.matrix.org/v1.19/rooms/ */
export type RoomVersionRules = {
  readonly version: string
  /** `opaque`: chosen by the origin and carried in the event; `hash`: `$` + base64 of the reference hash; `urlSafeHash`: the same, URL-safe. */
  readonly eventId: 'opaque' | 'hash' | 'urlSafeHash'
  /** `prev_events` and `auth_events` are `[id, hashes]` pairs rather than plain ids. */
  readonly referencesArePairs: boolean
  readonly stateResolution: 'v1' | 'v2' | 'v2.1'
  readonly redaction: RedactionRules
  /** Integers within ±(2^53 - 1) only. Before, floats and large integers may stand in events. */
  readonly strictCanonicalJson: boolean
  /** `lax`: integers, floats and numeric strings; `strings`: integers and numeric strings; `integers`: integers only. */
  readonly powerLevels: 'lax' | 'strings' | 'integers'
  /** Redactions are judged by an authorization rule of their own rather than when they are applied. */
  readonly redactionAuthRule: boolean
  /** `m.room.aliases` has an authorization rule of its own. */
  readonly aliasesAuthRule: boolean
  /** A signing key must have been valid at `origin_server_ts`. */
  readonly enforceKeyValidity: boolean
  /** Changes of `notifications` in power levels need the power to make them. */
  readonly limitNotificationLevels: boolean
  /** Membership `knock` and join rule `knock`. */
  readonly knock: boolean
  /** Join rule `restricted`. */
  readonly restricted: boolean
  /** Join rule `knock_restricted`. */
  readonly knockRestricted: boolean
  /** The creator is the sender of the create event; before, its content's `creator`. */
  readonly creatorIsSender: boolean
  /** `redacts` stands in the content of a redaction; before, at the top of the event. */
  readonly redactsInContent: boolean
  /** The room ID is the hash of the create event, which is no auth event and has no `room_id`. */
  readonly roomIdIsCreateHash: boolean
  /** Creators, also `additional_creators`, stand above all power levels. */
  readonly privilegedCreators: boolean
}

/** What a redaction leaves of an event, besides the keys kept in every version. https://spec.matrix.org/v1.19/rooms/v11/#redactions */
export type RedactionRules = {
  readonly topLevel: readonly string[]
  /** Kept keys of the content by event type; `all` keeps the whole content; `a.b` keeps only `b` inside `a`. */
  readonly content: Readonly<Record<string, readonly string[] | 'all'>>
}

const POWER_LEVEL_KEYS = [
  'ban',
  'events',
  'events_default',
  'kick',
  'redact',
  'state_default',
  'users',
  'users_default',
]
const R1: RedactionRules = {
  topLevel: [
    'event_id',
    'type',
    'room_id',
    'sender',
    'state_key',
    'content',
    'hashes',
    'signatures',
    'depth',
    'prev_events',
    'prev_state',
    'auth_events',
    'origin',
    'origin_server_ts',
    'membership',
  ],
  content: {
    'm.room.member': ['membership'],
    'm.room.create': ['creator'],
    'm.room.join_rules': ['join_rule'],
    'm.room.power_levels': POWER_LEVEL_KEYS,
    'm.room.aliases': ['aliases'],
    'm.room.history_visibility': ['history_visibility'],
  },
}
const { 'm.room.aliases': _aliases, ...contentWithoutAliases } = R1.content
const R6: RedactionRules = { ...R1, content: contentWithoutAliases }
const R8: RedactionRules = { ...R6, content: { ...R6.content, 'm.room.join_rules': ['join_rule', 'allow'] } }
const R9: RedactionRules = {
  ...R8,
  content: { ...R8.content, 'm.room.member': ['membership', 'join_authorised_via_users_server'] },
}
const R11: RedactionRules = {
  topLevel: R9.topLevel.filter((key) => !['prev_state', 'origin', 'membership'].includes(key)),
  content: {
    ...R9.content,
    'm.room.create': 'all',
    'm.room.redaction': ['redacts'],
    'm.room.member': ['membership', 'join_authorised_via_users_server', 'third_party_invite.signed'],
    'm.room.power_levels': [...POWER_LEVEL_KEYS, 'invite'],
  },
}

const V1: RoomVersionRules = {
  version: '1',
  eventId: 'opaque',
  referencesArePairs: true,
  stateResolution: 'v1',
  redaction: R1,
  strictCanonicalJson: false,
  powerLevels: 'lax',
  redactionAuthRule: true,
  aliasesAuthRule: true,
  enforceKeyValidity: false,
  limitNotificationLevels: false,
  knock: false,
  restricted: false,
  knockRestricted: false,
  creatorIsSender: false,
  redactsInContent: false,
  roomIdIsCreateHash: false,
  privilegedCreators: false,
}
const V2: RoomVersionRules = { ...V1, version: '2', stateResolution: 'v2' }
const V3: RoomVersionRules = {
  ...V2,
  version: '3',
  eventId: 'hash',
  referencesArePairs: false,
  redactionAuthRule: false,
}
const V4: RoomVersionRules = { ...V3, version: '4', eventId: 'urlSafeHash' }
const V5: RoomVersionRules = { ...V4, version: '5', enforceKeyValidity: true }
const V6: RoomVersionRules = {
  ...V5,
  version: '6',
  redaction: R6,
  strictCanonicalJson: true,
  powerLevels: 'strings',
  aliasesAuthRule: false,
  limitNotificationLevels: true,
}
const V7: RoomVersionRules = { ...V6, version: '7', knock: true }
const V8: RoomVersionRules = { ...V7, version: '8', redaction: R8, restricted: true }
const V9: RoomVersionRules = { ...V8, version: '9', redaction: R9 }
const V10: RoomVersionRules = { ...V9, version: '10', powerLevels: 'integers', knockRestricted: true }
const V11: RoomVersionRules = {
  ...V10,
  version: '11',
  redaction: R11,
  creatorIsSender: true,
  redactsInContent: true,
}
const V12: RoomVersionRules = {
  ...V11,
  version: '12',
  stateResolution: 'v2.1',
  roomIdIsCreateHash: true,
  privilegedCreators: true,
}

const versions: ReadonlyMap<string, RoomVersionRules> = new Map(
  [V1, V2, V3, V4, V5, V6, V7, V8, V9, V10, V11, V12].map((rules) => [rules.version, rules]),
)

/** The rules of a room version by its name, or `undefined` for a version that Myelin does not know. */
export const roomVersion = (version: string): RoomVersionRules | undefined => versions.get(version)
/** All known room versions, each stable, oldest first. */
export const roomVersions: readonly string[] = [...versions.keys()]
/** The version new rooms get where nobody says otherwise. */
export const DEFAULT_ROOM_VERSION = '12'
