import type { RoomEvent } from '#protocol/events/pdu.ts'
import { RawNumber } from '#protocol/raw-number.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { isObject, type JsonObject } from '#util/json.ts'
import { isRefusal, type Refusal, refused } from '#util/verdict.ts'

/** The levels that govern a room, each a whole number, with the defaults filled in. https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels */
export type PowerLevels = {
  /** The room has no power levels event; its creator then stands at 100 (versions 1 to 11). */
  readonly isImplied: boolean
  readonly ban: number
  readonly kick: number
  readonly redact: number
  readonly invite: number
  readonly stateDefault: number
  readonly eventsDefault: number
  readonly usersDefault: number
  readonly users: ReadonlyMap<string, number>
  readonly events: ReadonlyMap<string, number>
  readonly notifications: ReadonlyMap<string, number>
}

const none: ReadonlyMap<string, number> = new Map()
const implied: PowerLevels = {
  isImplied: true,
  ban: 50,
  kick: 50,
  redact: 50,
  invite: 0,
  stateDefault: 50,
  eventsDefault: 0,
  usersDefault: 0,
  users: none,
  events: none,
  notifications: none,
}

const CREATOR_WITHOUT_LEVELS = 100
const DEFAULT_NOTIFICATION_LEVEL = 50

/**
 * Reads the content of a power levels event as its room version allows it to be written; `undefined` means that the
 * room has no such event. Keys are not judged: whether those of `users` are user IDs, or creators, is for the
 * authorization rules. A value that cannot be read refuses the whole event, with these exceptions before version 10,
 * whose rules do not speak of them: `null` counts as absent outside `users`, and before version 6, where nobody looks
 * at `notifications`, unreadable entries there do.
 * https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export function readPowerLevels(content: JsonObject | undefined, rules: RoomVersionRules): PowerLevels | Refusal {
  if (content === undefined) return implied
  const named = readNamed(content, rules)
  if (isRefusal(named)) return named
  const events = readMap(content, 'events', rules)
  if (isRefusal(events)) return events
  const notifications = readMap(content, 'notifications', rules)
  if (isRefusal(notifications)) return notifications
  const users = readMap(content, 'users', rules)
  if (isRefusal(users)) return users
  return {
    isImplied: false,
    ban: named.levels.get('ban') ?? implied.ban,
    kick: named.levels.get('kick') ?? implied.kick,
    redact: named.levels.get('redact') ?? implied.redact,
    invite: named.levels.get('invite') ?? implied.invite,
    stateDefault: named.levels.get('state_default') ?? implied.stateDefault,
    eventsDefault: named.levels.get('events_default') ?? implied.eventsDefault,
    usersDefault: named.levels.get('users_default') ?? implied.usersDefault,
    users: users.levels,
    events: events.levels,
    notifications: notifications.levels,
  }
}

/**
 * The level a value stands for in a room version, or `undefined` where the version does not accept it. Fractions are
 * cut off after the exponent was applied (versions 1 to 5); text must be a whole decimal number (versions 1 to 9).
 * https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-floats
 */
export function readLevel(value: unknown, rules: RoomVersionRules): number | undefined {
  const isLax = rules.powerLevels === 'lax'
  if (typeof value === 'number') return isLax ? finite(Math.trunc(value)) : safe(value)
  if (value instanceof RawNumber) return isLax ? finite(Math.trunc(Number(value.source))) : undefined
  if (typeof value !== 'string' || rules.powerLevels === 'integers' || !WHOLE_NUMBER.test(value)) return undefined
  return isLax ? finite(Number(value)) : safe(Number(value))
}

/**
 * Who created the room, as its version defines it; empty where the create event does not say. In version 12 these are
 * all the users above every level. https://spec.matrix.org/v1.19/rooms/v12/#event-format
 */
export function creatorsOf(create: RoomEvent, rules: RoomVersionRules): readonly string[] {
  if (!rules.creatorIsSender) {
    const creator = own(create.content, 'creator')
    return typeof creator === 'string' ? [creator] : []
  }
  if (!rules.privilegedCreators) return [create.sender]
  const additional = own(create.content, 'additional_creators')
  if (!Array.isArray(additional)) return [create.sender]
  const others = additional.filter((user): user is string => typeof user === 'string' && user !== create.sender)
  return [create.sender, ...new Set(others)]
}

/**
 * The power of a user: infinite for a creator in versions that privilege creators; without a power levels event 100
 * for the creator and nothing for everyone else. `powerLevels` may be `undefined` for a room without the event, and
 * `create` where it is not known (nobody is a creator then). https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export function powerOf(
  userId: string,
  state: { readonly create: RoomEvent | undefined; readonly powerLevels: PowerLevels | undefined },
  rules: RoomVersionRules,
): number {
  const { create, powerLevels } = state
  if (rules.privilegedCreators && isCreator(userId, create, rules)) return Number.POSITIVE_INFINITY
  if (powerLevels !== undefined && !powerLevels.isImplied) {
    return powerLevels.users.get(userId) ?? powerLevels.usersDefault
  }
  return isCreator(userId, create, rules) ? CREATOR_WITHOUT_LEVELS : implied.usersDefault
}

/**
 * The level needed to send an event of a type. Memberships and third-party invites have rules of their own beside it.
 * https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels
 */
export const requiredPower = (type: string, isState: boolean, levels: PowerLevels): number =>
  levels.events.get(type) ?? (isState ? levels.stateDefault : levels.eventsDefault)

/** The level needed to notify by `key`, such as `room`; 50 where the room does not say. https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels */
export const notificationPower = (key: string, levels: PowerLevels): number =>
  levels.notifications.get(key) ?? DEFAULT_NOTIFICATION_LEVEL

const NAMED = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite'] as const
const WHOLE_NUMBER = /^\s*[+-]?[0-9]+\s*$/

// `content` may hold a RawNumber, which the type of JSON does not know, so values are looked at as unknown.
const own = (object: JsonObject, key: string): unknown => (Object.hasOwn(object, key) ? object[key] : undefined)
// Adding zero turns -0 into 0, so that equal levels are also the same value.
const finite = (level: number): number | undefined => (Number.isFinite(level) ? level + 0 : undefined)
const safe = (level: number): number | undefined => (Number.isSafeInteger(level) ? level + 0 : undefined)
const isLenientNull = (value: unknown, rules: RoomVersionRules): boolean =>
  value === null && rules.powerLevels !== 'integers'

type Levels = { readonly levels: ReadonlyMap<string, number> }

function readNamed(content: JsonObject, rules: RoomVersionRules): Levels | Refusal {
  const levels = new Map<string, number>()
  for (const key of NAMED) {
    const value = own(content, key)
    if (value === undefined || isLenientNull(value, rules)) continue
    const level = readLevel(value, rules)
    if (level === undefined) return refused(ruleFor('named', rules), `${key} must be an integer, not ${show(value)}`)
    levels.set(key, level)
  }
  return { levels }
}

function readMap(
  content: JsonObject,
  key: 'users' | 'events' | 'notifications',
  rules: RoomVersionRules,
): Levels | Refusal {
  const value = own(content, key)
  if (value === undefined) return { levels: none }
  const isIgnored = key === 'notifications' && !rules.limitNotificationLevels
  const rule = ruleFor(key === 'users' ? 'users' : 'maps', rules)
  if (!isObject(value) || value instanceof RawNumber) {
    return isIgnored ? { levels: none } : refused(rule, `${key} must be an object, not ${show(value)}`)
  }
  const levels = new Map<string, number>()
  for (const [name, entry] of Object.entries(value)) {
    if (key !== 'users' && isLenientNull(entry, rules)) continue
    const level = readLevel(entry, rules)
    if (level !== undefined) levels.set(name, level)
    else if (!isIgnored) return refused(rule, `${key} must hold integers only, not ${show(entry)}`)
  }
  return { levels }
}

/** Rules 9.1 to 9.3 from version 10; before, only `users` has a rule (9.1). With the aliases rule, and in 12, it is 10. */
function ruleFor(what: 'named' | 'maps' | 'users', rules: RoomVersionRules): string {
  const section = rules.aliasesAuthRule || rules.privilegedCreators ? '10' : '9'
  if (rules.powerLevels === 'integers') return `${section}.${{ named: 1, maps: 2, users: 3 }[what]}`
  return what === 'users' ? `${section}.1` : 'power_levels_format'
}

function isCreator(userId: string, create: RoomEvent | undefined, rules: RoomVersionRules): boolean {
  return create !== undefined && creatorsOf(create, rules).includes(userId)
}

function show(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && !(value instanceof RawNumber) ? 'an object' : `a ${kindOf(value)}`
}
const kindOf = (value: unknown): string => (value instanceof RawNumber ? 'number out of range' : typeof value)
