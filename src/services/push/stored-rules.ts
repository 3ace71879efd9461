import {
  emptyRuleset,
  type PushRule,
  type PushRuleset,
  pushRuleKinds,
  type RuleChange,
  type UserPushRules,
} from '#protocol/push/rules.ts'
import { get, getString, isObject, type Json, type JsonObject } from '#util/json.ts'

// How what a user said about push rules is kept: the user's own rules by kind, and changes of default rules by name.

/** Prints what a user said, to be kept. */
export const printStoredRules = ({ own, changes }: UserPushRules): string => {
  const stored = {
    own: Object.fromEntries(pushRuleKinds.map((kind) => [kind, own[kind].map(ruleToStored)])),
    changes: Object.fromEntries([...changes].map(([name, change]) => [name, changeToStored(change)])),
  }
  return JSON.stringify(stored)
}

/** Reads what `printStoredRules` printed. What is not understood in it is left out. */
export const readStoredRules = (text: string): UserPushRules => {
  const stored: Json = JSON.parse(text)
  const kinds = pushRuleKinds.map((kind) => [kind, listIn(get(stored, 'own'), kind).flatMap(ruleFromStored)])
  const own: PushRuleset = { ...emptyRuleset, ...Object.fromEntries(kinds) }
  const changes = get(stored, 'changes')
  const named = isObject(changes) ? Object.entries(changes) : []
  return { own, changes: new Map(named.map(([name, change]) => [name, changeFromStored(change)])) }
}

function ruleToStored({ ruleId, isEnabled, actions, conditions, pattern }: PushRule): JsonObject {
  return {
    rule_id: ruleId,
    enabled: isEnabled,
    actions,
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(pattern === undefined ? {} : { pattern }),
  }
}

function ruleFromStored(stored: Json): PushRule[] {
  const ruleId = getString(stored, 'rule_id')
  if (ruleId === undefined) return []
  const rule = {
    ruleId,
    isDefault: false,
    isEnabled: get(stored, 'enabled') !== false,
    actions: listIn(stored, 'actions'),
    conditions: listIn(stored, 'conditions'),
    pattern: getString(stored, 'pattern'),
  }
  return [rule]
}

const changeToStored = ({ isEnabled, actions }: RuleChange): JsonObject => ({
  ...(isEnabled === undefined ? {} : { enabled: isEnabled }),
  ...(actions === undefined ? {} : { actions }),
})

function changeFromStored(stored: Json): RuleChange {
  const enabled = get(stored, 'enabled')
  return {
    ...(typeof enabled === 'boolean' ? { isEnabled: enabled } : {}),
    ...(get(stored, 'actions') === undefined ? {} : { actions: listIn(stored, 'actions') }),
  }
}

function listIn(value: Json | undefined, key: string): readonly Json[] {
  const list = get(value, key)
  return Array.isArray(list) ? list : []
}
