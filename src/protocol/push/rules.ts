import { isObject, type Json, type JsonObject } from '#util/json.ts'

/** The kinds of push rules, in the order in which they are checked. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export const pushRuleKinds = ['override', 'content', 'room', 'sender', 'underride'] as const
/** A kind of push rules. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export type PushRuleKind = (typeof pushRuleKinds)[number]

/** One push rule. Conditions and actions stay as they came; what is not known among them has no effect. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export type PushRule = {
  readonly ruleId: string
  /** One of the server's defaults rather than the user's own. */
  readonly isDefault: boolean
  readonly isEnabled: boolean
  readonly actions: readonly Json[]
  /** For `override` and `underride`; empty elsewhere, and where the rule always matches. */
  readonly conditions: readonly Json[]
  /** For `content` only. */
  readonly pattern: string | undefined
}

/** Rules by kind, the most important first. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export type PushRuleset = { readonly [Kind in PushRuleKind]: readonly PushRule[] }

/** What a user changed of a default rule; the rest follows the default, also when that changes one day. */
export type RuleChange = { readonly isEnabled?: boolean; readonly actions?: readonly Json[] }

/** Everything a user has said about push rules. */
export type UserPushRules = {
  /** The user's own rules. */
  readonly own: PushRuleset
  /** Changes of default rules by `changeKey`. */
  readonly changes: ReadonlyMap<string, RuleChange>
}

/** No rules at all. */
export const emptyRuleset: PushRuleset = { override: [], content: [], room: [], sender: [], underride: [] }
/** The rules of a user who never touched them. */
export const untouchedRules: UserPushRules = { own: emptyRuleset, changes: new Map() }

/** Whether a text names a kind of push rules. */
export const isPushRuleKind = (text: string): text is PushRuleKind =>
  (pushRuleKinds as readonly string[]).includes(text)

/** Under which name the change of a default rule is kept. */
export const changeKey = (kind: PushRuleKind, ruleId: string): string => `${kind}/${ruleId}`

/** The rule that overrides even the user's own. https://spec.matrix.org/v1.19/client-server-api/#predefined-rules */
export const MASTER_RULE = '.m.rule.master'

/**
 * All rules of a user in the order in which they apply: of each kind the user's own before the defaults, as the user
 * changed them, and the master rule before everything. https://spec.matrix.org/v1.19/client-server-api/#predefined-rules
 */
export function effectiveRules(user: UserPushRules, defaults: PushRuleset): PushRuleset {
  const rules = Object.fromEntries(
    pushRuleKinds.map((kind) => {
      const changed = defaults[kind].map((rule) => ({ ...rule, ...user.changes.get(changeKey(kind, rule.ruleId)) }))
      const masters = changed.filter(({ ruleId }) => ruleId === MASTER_RULE)
      return [kind, [...masters, ...user.own[kind], ...changed.filter(({ ruleId }) => ruleId !== MASTER_RULE)]]
    }),
  )
  return { ...emptyRuleset, ...rules }
}

/**
 * Whether the rules of a user judge every event as the defaults do: no rule of their own that is enabled, and no
 * change that makes a difference. Such members share one verdict per event.
 */
export function isDefaultRuleset(user: UserPushRules, defaults: PushRuleset): boolean {
  return pushRuleKinds.every(
    (kind) =>
      user.own[kind].every(({ isEnabled }) => !isEnabled) &&
      defaults[kind].every((rule) => isUnchanged(rule, user.changes.get(changeKey(kind, rule.ruleId)))),
  )
}

/** A rule of a ruleset, or `undefined`. */
export const findRule = (rules: PushRuleset, kind: PushRuleKind, ruleId: string): PushRule | undefined =>
  rules[kind].find((rule) => rule.ruleId === ruleId)

/** A rule as clients read it. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules */
export function ruleToJson(rule: PushRule, kind: PushRuleKind): JsonObject {
  const common = {
    rule_id: rule.ruleId,
    default: rule.isDefault,
    enabled: rule.isEnabled,
    actions: effectiveActions(rule.actions),
  }
  if (kind === 'content') return { ...common, pattern: rule.pattern ?? '' }
  return kind === 'override' || kind === 'underride' ? { ...common, conditions: rule.conditions } : common
}

/** A ruleset as clients read it, what they find under `global`. https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushrules */
export const rulesetToJson = (rules: PushRuleset): JsonObject =>
  Object.fromEntries(pushRuleKinds.map((kind) => [kind, rules[kind].map((rule) => ruleToJson(rule, kind))]))

/** Actions without `dont_notify` and `coalesce`, which have no meaning any more. https://spec.matrix.org/v1.19/client-server-api/#historical-actions */
export const effectiveActions = (actions: readonly Json[]): readonly Json[] =>
  actions.filter((action) => action !== 'dont_notify' && action !== 'coalesce')

function isUnchanged(rule: PushRule, change: RuleChange | undefined): boolean {
  if (change === undefined) return true
  const isEnabled = change.isEnabled ?? rule.isEnabled
  if (isEnabled !== rule.isEnabled) return false
  return !isEnabled || change.actions === undefined || isSame(effectiveActions(change.actions), rule.actions)
}

function isSame(x: Json | undefined, y: Json | undefined): boolean {
  if (Array.isArray(x) && Array.isArray(y)) return x.length === y.length && x.every((item, i) => isSame(item, y[i]))
  if (!isObject(x) || !isObject(y)) return x === y
  const keys = Object.keys(x)
  return keys.length === Object.keys(y).length && keys.every((key) => Object.hasOwn(y, key) && isSame(x[key], y[key]))
}
