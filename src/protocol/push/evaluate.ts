import type { RoomEvent } from '#protocol/events/pdu.ts'
import { get, getString, type Json, type JsonObject } from '#util/json.ts'
import { bodyMatch, type Condition, compileCondition, never, type PushContext } from './conditions.ts'
import { type DefaultRuleOptions, defaultRules, legacyMentionRules, standardRuleOptions } from './default-rules.ts'
import type { PushEvent } from './push-event.ts'
import { effectiveActions, type PushRule, type PushRuleKind, type PushRuleset, pushRuleKinds } from './rules.ts'

/** What push rules make of an event for one user. https://spec.matrix.org/v1.19/client-server-api/#actions */
export type PushVerdict = {
  readonly notify: boolean
  /** The notification is to be highlighted; never without `notify`. */
  readonly highlight: boolean
  /** Everything that the rule sets for the push gateway. */
  readonly tweaks: JsonObject
  /** The actions of the rule that matched, empty where none did. */
  readonly actions: readonly Json[]
}

/** The verdict of no rule: nothing happens. */
export const silent: PushVerdict = { notify: false, highlight: false, tweaks: {}, actions: [] }

/** The rules of one user, ready to judge events. Worth keeping as long as the rules do not change. */
export type CompiledRules = {
  /** The user never hears of events of their own. */
  readonly userId: string
  readonly rules: readonly { readonly matches: readonly Condition[]; readonly verdict: PushVerdict }[]
}

/** Compiles the rules of a user, all kinds in their order, leaving out those that are disabled. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export function compileRules(ruleset: PushRuleset, userId: string): CompiledRules {
  const rules = pushRuleKinds.flatMap((kind) =>
    ruleset[kind]
      .filter(({ isEnabled }) => isEnabled)
      .map((rule) => ({ matches: conditionsOf(rule, kind), verdict: verdictOf(rule.actions) }))
      .filter(({ matches }) => !matches.includes(never)),
  )
  return { userId, rules }
}

/** Judges an event by the first rule that matches it. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export function evaluate(compiled: CompiledRules, event: PushEvent, context: PushContext): PushVerdict {
  if (event.event.sender === compiled.userId) return silent
  for (const { matches, verdict } of compiled.rules) if (all(matches, event, context)) return verdict
  return silent
}

/** The default rules compiled for nobody in particular, for `sharedVerdict`. */
export type SharedRules = { readonly unmentioned: CompiledRules; readonly mentioned: CompiledRules }

/**
 * Compiles what `sharedVerdict` needs. Rules that look for names in the text depend on each member, so with
 * `legacyMentions` an event without `m.mentions` has to be judged for each.
 */
export function compileSharedRules(options: DefaultRuleOptions = standardRuleOptions): SharedRules {
  const { override, ...others } = defaultRules(NOBODY, { ...options, legacyMentions: false })
  const mentioned = override.map((rule) =>
    rule.ruleId === '.m.rule.is_user_mention' ? { ...rule, conditions: [] } : rule,
  )
  return {
    unmentioned: compileRules({ ...others, override }, NOBODY),
    mentioned: compileRules({ ...others, override: mentioned }, NOBODY),
  }
}

/**
 * The verdict for every member with untouched rules, except the sender, and the invited user for an invitation. It
 * depends on the event, whether the room has exactly two members, and whether the member is mentioned.
 * https://spec.matrix.org/v1.19/client-server-api/#predefined-rules
 */
export const sharedVerdict = (
  rules: SharedRules,
  event: PushEvent,
  context: PushContext & { readonly isMentioned: boolean },
): PushVerdict => evaluate(context.isMentioned ? rules.mentioned : rules.unmentioned, event, context)

/** The users an event says it mentions, each once; what is no text among them is left out. https://spec.matrix.org/v1.19/client-server-api/#user-and-room-mentions */
export function mentionedUsers(event: RoomEvent): readonly string[] {
  const users = get(get(event.content, 'm.mentions'), 'user_ids')
  if (!Array.isArray(users)) return []
  return [...new Set(users.filter((user): user is string => typeof user === 'string'))]
}

/** No user ID, so that neither mentions nor invitations nor senders are ever this user. */
const NOBODY = '\0nobody'

function all(conditions: readonly Condition[], event: PushEvent, context: PushContext): boolean {
  for (const condition of conditions) if (!condition(event, context)) return false
  return true
}

const unlessMentions: Condition = (event) => !event.hasMentions

function conditionsOf(rule: PushRule, kind: PushRuleKind): readonly Condition[] {
  const conditions = ownConditions(rule, kind)
  return rule.isDefault && legacyMentionRules.has(rule.ruleId) ? [unlessMentions, ...conditions] : conditions
}

function ownConditions(rule: PushRule, kind: PushRuleKind): readonly Condition[] {
  switch (kind) {
    case 'room':
      return [({ event }) => event.roomId === rule.ruleId]
    case 'sender':
      return [({ event }) => event.sender === rule.ruleId]
    case 'content':
      return [rule.pattern === undefined ? never : bodyMatch(rule.pattern)]
    default:
      return rule.conditions.map(compileCondition)
  }
}

function verdictOf(stored: readonly Json[]): PushVerdict {
  const actions = effectiveActions(stored)
  const tweaks = new Map<string, Json>()
  for (const action of actions) {
    const name = getString(action, 'set_tweak')
    if (name === undefined) continue
    const value = get(action, 'value')
    if (value !== undefined) tweaks.set(name, value)
    else if (name === 'highlight') tweaks.set(name, true)
  }
  const notify = actions.includes('notify')
  return { notify, highlight: notify && tweaks.get('highlight') === true, tweaks: Object.fromEntries(tweaks), actions }
}
