import { get, getString, isObject, type Json } from '#util/json.ts'
import { isRefusal, type Refusal, refused } from '#util/verdict.ts'
import {
  changeKey,
  effectiveActions,
  findRule,
  type PushRule,
  type PushRuleKind,
  type PushRuleset,
  type UserPushRules,
} from './rules.ts'

/** The greatest length of a glob pattern in a rule, in UTF-16 units. */
export const MAX_PATTERN_LENGTH = 1024
/** How many conditions, and how many actions, a rule may have. */
export const MAX_RULE_PARTS = 64
/** The greatest length of a rule ID, in UTF-16 units; room rules are named by rooms, sender rules by users. */
export const MAX_RULE_ID_LENGTH = 512

/** Where a rule is put: before or after another of the user's own of the same kind. `before` wins over `after`. */
export type RulePlace = { readonly before?: string; readonly after?: string }

/**
 * Adds a rule of the user's own, or changes it. A new rule is enabled, and the most important of its kind unless told
 * otherwise; a changed one keeps its place and whether it is enabled. Refused by `bad_json`, `invalid_param`, or
 * `relative_rule` where `place` names no rule of the user's own. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleid
 */
export function putRule(
  user: UserPushRules,
  target: { readonly kind: PushRuleKind; readonly ruleId: string; readonly body: Json },
  place: RulePlace = {},
): UserPushRules | Refusal {
  const { kind, ruleId } = target
  const existing = findRule(user.own, kind, ruleId)
  const rule = readRule(target, existing?.isEnabled ?? true)
  if (isRefusal(rule)) return rule
  const rules = user.own[kind]
  if (place.before === undefined && place.after === undefined && existing !== undefined) {
    return withOwn(
      user,
      kind,
      rules.map((other) => (other === existing ? rule : other)),
    )
  }
  const others = rules.filter((other) => other !== existing)
  const index = placeIndex(others, place)
  return typeof index === 'number' ? withOwn(user, kind, others.toSpliced(index, 0, rule)) : index
}

/** Removes a rule of the user's own. Refused by `not_found`, or `default_rule` for a default. https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3pushrulesglobalkindruleid */
export function removeRule(user: UserPushRules, kind: PushRuleKind, ruleId: string): UserPushRules | Refusal {
  if (ruleId.startsWith('.')) return refused('default_rule', 'The rules of the server cannot be deleted')
  const rules = user.own[kind].filter((rule) => rule.ruleId !== ruleId)
  return rules.length === user.own[kind].length ? notFound(ruleId) : withOwn(user, kind, rules)
}

/**
 * Enables or disables a rule, or gives it other actions, be it the user's own or a default. Refused by `not_found` or
 * `bad_json`. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3pushrulesglobalkindruleidenabled
 */
export function changeRule(
  user: UserPushRules,
  target: { readonly kind: PushRuleKind; readonly ruleId: string; readonly defaults: PushRuleset },
  change: { readonly isEnabled: boolean } | { readonly actions: Json | undefined },
): UserPushRules | Refusal {
  const { kind, ruleId, defaults } = target
  const read = 'isEnabled' in change ? { change } : readActions(change.actions)
  if (isRefusal(read)) return read
  const said = 'actions' in read ? { actions: read.actions } : read.change
  if (findRule(user.own, kind, ruleId) !== undefined) {
    return withOwn(
      user,
      kind,
      user.own[kind].map((rule) => (rule.ruleId === ruleId ? { ...rule, ...said } : rule)),
    )
  }
  if (findRule(defaults, kind, ruleId) === undefined) return notFound(ruleId)
  const key = changeKey(kind, ruleId)
  return { ...user, changes: new Map(user.changes).set(key, { ...user.changes.get(key), ...said }) }
}

/** Reads a list of actions; each is text or an object. Refused by `bad_json`. https://spec.matrix.org/v1.19/client-server-api/#actions */
export function readActions(actions: Json | undefined): { readonly actions: readonly Json[] } | Refusal {
  if (!Array.isArray(actions)) return refused('bad_json', 'actions must be a list')
  if (actions.length > MAX_RULE_PARTS) return refused('bad_json', `A rule can have ${MAX_RULE_PARTS} actions`)
  if (!actions.every((action) => typeof action === 'string' || getString(action, 'set_tweak') !== undefined)) {
    return refused('bad_json', 'An action must be text or an object with set_tweak')
  }
  return { actions: effectiveActions(actions) }
}

const notFound = (ruleId: string): Refusal => refused('not_found', `There is no push rule ${ruleId}`)

const withOwn = (user: UserPushRules, kind: PushRuleKind, rules: readonly PushRule[]): UserPushRules => ({
  ...user,
  own: { ...user.own, [kind]: rules },
})

function placeIndex(rules: readonly PushRule[], place: RulePlace): number | Refusal {
  const relative = place.before ?? place.after
  if (relative === undefined) return 0
  const index = rules.findIndex(({ ruleId }) => ruleId === relative)
  if (index === -1) return refused('relative_rule', `There is no rule of your own ${relative} to put it beside`)
  return place.before === undefined ? index + 1 : index
}

function readRule(
  { kind, ruleId, body }: { readonly kind: PushRuleKind; readonly ruleId: string; readonly body: Json },
  isEnabled: boolean,
): PushRule | Refusal {
  if (ruleId === '' || ruleId.startsWith('.') || /[/\\]/.test(ruleId) || ruleId.length > MAX_RULE_ID_LENGTH) {
    return refused('invalid_param', 'A rule ID must not start with a dot, hold a slash or backslash, or be too long')
  }
  if (!isObject(body)) return refused('bad_json', 'A push rule must be an object')
  const read = readActions(get(body, 'actions'))
  if (isRefusal(read)) return read
  const rule = { ruleId, isDefault: false, isEnabled, actions: read.actions, conditions: [], pattern: undefined }
  if (kind === 'content') {
    const pattern = getString(body, 'pattern')
    if (pattern === undefined) return refused('bad_json', 'A content rule must have a pattern')
    return pattern.length > MAX_PATTERN_LENGTH ? tooLong : { ...rule, pattern }
  }
  if (kind !== 'override' && kind !== 'underride') return rule
  const conditions = readConditions(get(body, 'conditions') ?? [])
  return isRefusal(conditions) ? conditions : { ...rule, ...conditions }
}

function readConditions(conditions: Json): { readonly conditions: readonly Json[] } | Refusal {
  if (!Array.isArray(conditions) || !conditions.every((condition) => getString(condition, 'kind') !== undefined)) {
    return refused('bad_json', 'conditions must be a list of objects with a kind')
  }
  if (conditions.length > MAX_RULE_PARTS) return refused('bad_json', `A rule can have ${MAX_RULE_PARTS} conditions`)
  const isTooLong = conditions.some((condition) => (getString(condition, 'pattern')?.length ?? 0) > MAX_PATTERN_LENGTH)
  return isTooLong ? tooLong : { conditions }
}

const tooLong = refused('bad_json', `A pattern can have ${MAX_PATTERN_LENGTH} characters`)
