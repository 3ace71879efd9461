import { compileGlob, compileWordGlob, containsWord, foldCase } from '#protocol/glob.ts'
import { notificationPower, type PowerLevels } from '#protocol/power-levels.ts'
import { get, getString, type Json } from '#util/json.ts'
import { type PushEvent, type PushProperty, pushProperty } from './push-event.ts'

/** What conditions ask beside the event. */
export type PushContext = {
  /** How many users have joined the room. */
  readonly memberCount: number
  /** The power of the event's sender. */
  readonly senderPower: number
  readonly powerLevels: PowerLevels
  /** The display name in the room of the user whose rules are judged. */
  readonly displayName?: string | undefined
}

/** A compiled condition. */
export type Condition = (event: PushEvent, context: PushContext) => boolean

/** The condition that no event fulfils, which unknown and malformed conditions become. */
export const never: Condition = () => false

/**
 * Compiles a condition of a push rule. What is not known, or lacks a parameter, never matches.
 * https://spec.matrix.org/v1.19/client-server-api/#conditions-1
 */
export function compileCondition(condition: Json): Condition {
  const kind = getString(condition, 'kind')
  if (kind === 'contains_display_name') return containsDisplayName
  if (kind === 'room_member_count') return memberCount(getString(condition, 'is'))
  const key = getString(condition, 'key')
  if (key === undefined) return never
  if (kind === 'event_match') return eventMatch(key, getString(condition, 'pattern'))
  if (kind === 'event_property_is') return propertyIs(pushProperty(key), get(condition, 'value'))
  if (kind === 'event_property_contains') return propertyContains(pushProperty(key), get(condition, 'value'))
  if (kind === 'sender_notification_permission') return senderPermission(key)
  return never
}

/** The condition of a content rule: its pattern stands in the text of the message. https://spec.matrix.org/v1.19/client-server-api/#push-rules */
export function bodyMatch(pattern: string): Condition {
  const match = compileWordGlob(foldCase(pattern))
  return (event) => {
    const body = event.foldedBody
    return body !== undefined && match(body)
  }
}

function eventMatch(key: string, pattern: string | undefined): Condition {
  if (pattern === undefined) return never
  if (key === 'content.body') return bodyMatch(pattern)
  const property = pushProperty(key)
  const match = compileGlob(foldCase(pattern))
  return (event) => {
    const text = event.folded(property)
    return text !== undefined && match(text)
  }
}

function propertyIs(property: PushProperty, value: Json | undefined): Condition {
  if (!isSimple(value)) return never
  return (event) => event.property(property) === value
}

function propertyContains(property: PushProperty, value: Json | undefined): Condition {
  if (!isSimple(value)) return never
  return (event) => {
    const values = event.property(property)
    return Array.isArray(values) && values.includes(value)
  }
}

/** Text, integers that a double holds exactly, booleans and null: the values that can be compared. */
function isSimple(value: Json | undefined): value is string | number | boolean | null {
  return value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)
}

const COMPARISONS: ReadonlyMap<string, (members: number, count: number) => boolean> = new Map([
  ['', (members, count) => members === count],
  ['==', (members, count) => members === count],
  ['<', (members, count) => members < count],
  ['>', (members, count) => members > count],
  ['<=', (members, count) => members <= count],
  ['>=', (members, count) => members >= count],
])

function memberCount(is: string | undefined): Condition {
  const [, operator, digits] = /^(==|<=|>=|<|>|)([0-9]+)$/.exec(is ?? '') ?? []
  const compare = operator === undefined ? undefined : COMPARISONS.get(operator)
  if (compare === undefined) return never
  const count = Number(digits)
  return (_event, context) => compare(context.memberCount, count)
}

const senderPermission =
  (key: string): Condition =>
  (_event, context) =>
    context.senderPower >= notificationPower(key, context.powerLevels)

/** Longer names are not looked for: a text can be made to take long to search for them. */
const MAX_DISPLAY_NAME_LENGTH = 512

const containsDisplayName: Condition = (event, { displayName = '' }) => {
  const body = event.foldedBody
  if (body === undefined || displayName === '' || displayName.length > MAX_DISPLAY_NAME_LENGTH) return false
  return containsWord(body, foldCase(displayName))
}
