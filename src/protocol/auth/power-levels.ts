import { parseUserId } from '#protocol/identifiers.ts'
import { creatorsOf, type PowerLevels, readLevel, readPowerLevels } from '#protocol/power-levels.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { get, type JsonObject } from '#util/json.ts'
import { allowed, isRefusal, type Refusal, refused, type Verdict } from '#util/verdict.ts'
import { type AuthCase, powerIn, powerLevelsOf } from './auth-state.ts'
import { ruleNumbers } from './rule-numbers.ts'

/**
 * Whether `m.room.power_levels` may be sent: rule 9 in versions 6 to 11, else 10. The numbers in the comments are those
 * of version 12; refusals have those of the room's version.
 * https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules
 */
export function authorizePowerLevels(given: AuthCase): Verdict {
  const { event, state, rules } = given
  // 10.1 to 10.3. The values are integers (up to v9, or strings that are integers), those in objects too.
  const proposed = readPowerLevels(event.content, rules)
  if (isRefusal(proposed)) return proposed
  const fault = faultInUsers(given, proposed)
  if (fault !== undefined) return fault
  // 10.5. If there is no previous m.room.power_levels event in the room, allow.
  const previous = state.get('m.room.power_levels', '')
  if (previous === undefined) return allowed
  const current = powerLevelsOf(state, rules)
  if (isRefusal(current)) return current
  const power = powerIn(event.sender, current, given)
  const rule = (offset: number): string => {
    const { powerLevels, powerLevelChanges } = ruleNumbers(rules)
    return `${powerLevels}.${powerLevelChanges + offset}`
  }
  // 10.6. For the properties users_default, events_default, state_default, ban, redact, kick, invite check if they were
  // added, changed or removed.
  const named = changesIn(namedLevels(previous.content, rules), namedLevels(event.content, rules))
  // 10.7. and 10.8. For each entry being added, changed in, or removed from, the events or notifications properties:
  const notifications = rules.limitNotificationLevels ? changesIn(current.notifications, proposed.notifications) : []
  const events = [...changesIn(current.events, proposed.events), ...notifications]
  // 10.9. and 10.10. For each entry being added, changed in, or removed from, the users property:
  const users = changesIn(current.users, proposed.users)
  return (
    overreach(named, power, { before: `${rule(0)}.1`, after: `${rule(0)}.2` }) ??
    overreach(events, power, { before: `${rule(1)}.1` }) ??
    overreach(events, power, { after: `${rule(2)}.1` }) ??
    overreachOnUsers(users, power, { sender: event.sender, rule: `${rule(3)}.1` }) ??
    overreach(users, power, { after: `${rule(4)}.1` }) ??
    allowed
  )
}

/** The keys of `users` are user IDs, and none of them a creator where creators stand above all levels. */
function faultInUsers({ state: { create }, rules }: AuthCase, { users }: PowerLevels): Refusal | undefined {
  const { powerLevels } = ruleNumbers(rules)
  // 10.3 (10.1 up to v9). If the users property in content is not an object with keys that are valid user IDs, reject.
  const number = rules.powerLevels === 'integers' ? 3 : 1
  for (const userId of users.keys()) {
    if (parseUserId(userId) === undefined)
      return refused(`${powerLevels}.${number}`, 'Expected users to be named by user IDs.')
  }
  // 10.4. If the users property in content contains the sender of the m.room.create event or any of the
  // additional_creators array from the content of the m.room.create event, reject.
  if (!rules.privilegedCreators || create === undefined) return undefined
  const isCreatorListed = creatorsOf(create, rules).some((creator) => users.has(creator))
  return isCreatorListed ? refused(`${powerLevels}.4`, 'Creators cannot have a power level.') : undefined
}

/** A level that differs; `undefined` where it was not there. */
type Change = { readonly name: string; readonly before: number | undefined; readonly after: number | undefined }

function changesIn(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly Change[] {
  const changes: Change[] = []
  for (const [name, level] of before) {
    if (after.get(name) !== level) changes.push({ name, before: level, after: after.get(name) })
  }
  for (const [name, level] of after) {
    if (!before.has(name)) changes.push({ name, before: undefined, after: level })
  }
  return changes
}

const NAMED = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite']

/** The levels that are really there, without defaults. */
function namedLevels(content: JsonObject, rules: RoomVersionRules): ReadonlyMap<string, number> {
  const levels = new Map<string, number>()
  for (const name of NAMED) {
    const level = readLevel(get(content, name), rules)
    if (level !== undefined) levels.set(name, level)
  }
  return levels
}

/** The refusal of the first change from or to a level above the sender's own. What has no rule is not looked at. */
function overreach(
  changes: readonly Change[],
  power: number,
  rules: { readonly before?: string; readonly after?: string },
): Refusal | undefined {
  for (const { name, before, after } of changes) {
    // If the current value is greater than the sender's current power level, reject.
    if (rules.before !== undefined && before !== undefined && before > power) {
      return refused(rules.before, `Changing ${name} takes the level it has.`)
    }
    // If the new value is greater than the sender's current power level, reject.
    if (rules.after !== undefined && after !== undefined && after > power) {
      return refused(rules.after, `Changing ${name} takes the level it gets.`)
    }
  }
  return undefined
}

/** For each entry being changed in, or removed from, the users property, other than the sender's own entry. */
function overreachOnUsers(
  changes: readonly Change[],
  power: number,
  { sender, rule }: { readonly sender: string; readonly rule: string },
): Refusal | undefined {
  // If the current value is greater than or equal to the sender's current power level, reject.
  const others = changes.filter(({ name, before }) => name !== sender && before !== undefined && before >= power)
  return others.length > 0 ? refused(rule, 'Changing the level of a user takes more than it.') : undefined
}
