import type { RoomEvent } from '#protocol/events/pdu.ts'
import { serverNameOf } from '#protocol/identifiers.ts'
import { allowed, isRefusal, refused, type Verdict } from '#util/verdict.ts'
import { type AuthCase, powerIn, powerLevelsOf } from './auth-state.ts'
import { ruleNumbers } from './rule-numbers.ts'

/** Rule 11 in versions 1 and 2: whether `m.room.redaction` may be sent. https://spec.matrix.org/v1.19/rooms/v1/#authorization-rules */
export function authorizeRedaction(given: AuthCase): Verdict {
  const { event, state, rules } = given
  const powerLevels = powerLevelsOf(state, rules)
  if (isRefusal(powerLevels)) return powerLevels
  // 11.1. If the sender's power level is greater than or equal to the redact level, allow.
  if (powerIn(event.sender, powerLevels, given) >= powerLevels.redact) return allowed
  // 11.2. If the domain of the event_id of the event being redacted is the same as the domain of the event_id of the
  // m.room.redaction, allow.
  if (event.redacts !== undefined && isOfSameServer(event.redacts, event.eventId)) return allowed
  // 11.3. Otherwise, reject.
  return refused(`${ruleNumbers(rules).redaction}.3`, 'Redacting an event of another server takes the redact level.')
}

/**
 * Whether a redaction that was authorized may be carried out on the event it names, both being known and valid; `state`
 * is that before the redaction. In versions 1 and 2 the authorization rules said so already. A redaction that names
 * another event, or is of another room, does nothing. https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions
 */
export function mayRedact(given: AuthCase, target: RoomEvent): boolean {
  const { event, state, rules } = given
  if (event.redacts !== target.eventId || event.roomId !== target.roomId) return false
  if (rules.redactionAuthRule) return true
  // 2. The domain of the redaction event's sender matches that of the original event's sender.
  if (serverNameOf(event.sender) === serverNameOf(target.sender)) return true
  // 1. The power level of the redaction event's sender is greater than or equal to the redact level.
  const powerLevels = powerLevelsOf(state, rules)
  return !isRefusal(powerLevels) && powerIn(event.sender, powerLevels, given) >= powerLevels.redact
}

const isOfSameServer = (a: RoomEvent['eventId'], b: RoomEvent['eventId']): boolean => {
  const server = serverNameOf(a)
  return server !== undefined && server === serverNameOf(b)
}
