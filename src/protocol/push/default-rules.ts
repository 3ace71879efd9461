import type { Json } from '#util/json.ts'
import { emptyRuleset, MASTER_RULE, type PushRule, type PushRuleset } from './rules.ts'

/** Which rules beyond those of the specification a server has. */
export type DefaultRuleOptions = {
  /** Rules for polls (MSC3930), under their released and their unstable names. */
  readonly polls: boolean
  /** The rules that looked for mentions in the text, removed in version 1.17 of the specification. They skip events with `m.mentions`. */
  readonly legacyMentions: boolean
}

/** The default rules of the specification and nothing else. */
export const standardRuleOptions: DefaultRuleOptions = { polls: false, legacyMentions: false }

/** The default rules that do not apply to an event which says itself whom it mentions. https://spec.matrix.org/v1.16/client-server-api/#predefined-rules */
export const legacyMentionRules: ReadonlySet<string> = new Set([
  '.m.rule.contains_display_name',
  '.m.rule.roomnotif',
  '.m.rule.contains_user_name',
])

/** The server's default rules for a user, most important first. https://spec.matrix.org/v1.19/client-server-api/#predefined-rules */
export function defaultRules(userId: string, options: DefaultRuleOptions = standardRuleOptions): PushRuleset {
  const { legacyMentions, polls } = options
  return {
    ...emptyRuleset,
    override: [
      { ...rule(MASTER_RULE, [], []), isEnabled: false },
      rule('.m.rule.suppress_notices', [matches('content.msgtype', 'm.notice')], []),
      rule('.m.rule.invite_for_me', invitation(userId), [NOTIFY, SOUND]),
      rule('.m.rule.member_event', [isType('m.room.member')], []),
      rule('.m.rule.is_user_mention', [mentions(userId)], [NOTIFY, SOUND, HIGHLIGHT]),
      ...(legacyMentions ? [DISPLAY_NAME] : []),
      rule('.m.rule.is_room_mention', [ROOM_MENTION, MAY_NOTIFY_ROOM], [NOTIFY, HIGHLIGHT]),
      ...(legacyMentions ? [AT_ROOM] : []),
      rule('.m.rule.tombstone', stateEvent('m.room.tombstone'), [NOTIFY, HIGHLIGHT]),
      rule('.m.rule.reaction', [isType('m.reaction')], []),
      rule('.m.rule.room.server_acl', stateEvent('m.room.server_acl'), []),
      rule('.m.rule.suppress_edits', [EDIT], []),
      ...(polls ? pollRules.flatMap(({ response }) => response) : []),
    ],
    content: legacyMentions ? [userName(userId)] : [],
    underride: [
      rule('.m.rule.call', [isType('m.call.invite')], [NOTIFY, RING]),
      rule('.m.rule.encrypted_room_one_to_one', [TWO_MEMBERS, isType('m.room.encrypted')], [NOTIFY, SOUND]),
      rule('.m.rule.room_one_to_one', [TWO_MEMBERS, isType('m.room.message')], [NOTIFY, SOUND]),
      rule('.m.rule.message', [isType('m.room.message')], [NOTIFY]),
      rule('.m.rule.encrypted', [isType('m.room.encrypted')], [NOTIFY]),
      ...(polls ? pollRules.flatMap(({ startsAndEnds }) => startsAndEnds) : []),
    ],
  }
}

const rule = (ruleId: string, conditions: readonly Json[], actions: readonly Json[]): PushRule => ({
  ruleId,
  isDefault: true,
  isEnabled: true,
  conditions,
  actions,
  pattern: undefined,
})
const matches = (key: string, pattern: string): Json => ({ kind: 'event_match', key, pattern })
const isType = (type: string): Json => matches('type', type)
const stateEvent = (type: string): readonly Json[] => [isType(type), matches('state_key', '')]
const mentions = (value: string): Json => ({
  kind: 'event_property_contains',
  key: 'content.m\\.mentions.user_ids',
  value,
})
const invitation = (userId: string): readonly Json[] => [
  isType('m.room.member'),
  matches('content.membership', 'invite'),
  matches('state_key', userId),
]

const NOTIFY: Json = 'notify'
const SOUND: Json = { set_tweak: 'sound', value: 'default' }
const RING: Json = { set_tweak: 'sound', value: 'ring' }
const HIGHLIGHT: Json = { set_tweak: 'highlight' }
const ROOM_MENTION: Json = { kind: 'event_property_is', key: 'content.m\\.mentions.room', value: true }
const MAY_NOTIFY_ROOM: Json = { kind: 'sender_notification_permission', key: 'room' }
const EDIT: Json = { kind: 'event_property_is', key: 'content.m\\.relates_to.rel_type', value: 'm.replace' }
const TWO_MEMBERS: Json = { kind: 'room_member_count', is: '2' }

const DISPLAY_NAME = rule(
  '.m.rule.contains_display_name',
  [{ kind: 'contains_display_name' }],
  [NOTIFY, SOUND, HIGHLIGHT],
)
const AT_ROOM = rule('.m.rule.roomnotif', [matches('content.body', '@room'), MAY_NOTIFY_ROOM], [NOTIFY, HIGHLIGHT])

/** A localpart with wildcards in it, which historical user IDs may have, is matched as a pattern: nothing escapes them. */
const userName = (userId: string): PushRule => ({
  ...rule('.m.rule.contains_user_name', [], [NOTIFY, SOUND, HIGHLIGHT]),
  pattern: userId.slice(1).split(':', 1)[0] ?? '',
})

const pollRules = [
  { type: 'm.poll.', ruleId: '.m.rule.poll_' },
  { type: 'org.matrix.msc3381.poll.', ruleId: '.org.matrix.msc3930.rule.poll_' },
].map(({ type, ruleId }) => ({
  response: [rule(`${ruleId}response`, [isType(`${type}response`)], [])],
  startsAndEnds: ['start', 'end'].flatMap((what) => [
    rule(`${ruleId}${what}_one_to_one`, [TWO_MEMBERS, isType(type + what)], [NOTIFY, SOUND]),
    rule(`${ruleId}${what}`, [isType(type + what)], [NOTIFY]),
  ]),
}))
