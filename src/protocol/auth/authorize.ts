import { createEventIdOf } from '#protocol/events/event-id.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { serverNameOf } from '#protocol/identifiers.ts'
import { requiredPower } from '#protocol/power-levels.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { get } from '#util/json.ts'
import { allowed, isRefusal, refused, type Verdict } from '#util/verdict.ts'
import { authorizeAliases } from './aliases.ts'
import { type AuthCase, type AuthState, membershipOf, powerIn, powerLevelsOf } from './auth-state.ts'
import { authorizeCreate } from './create.ts'
import { authorizeMember } from './member.ts'
import { authorizePowerLevels } from './power-levels.ts'
import { authorizeRedaction } from './redaction.ts'
import { type RuleNumbers, ruleNumbers } from './rule-numbers.ts'
import { authorizeThirdPartyInvite } from './third-party-invite.ts'

/**
 * Whether an event is allowed by a state of its room. The refusal has the number of the rule on the page of the room
 * version. The rules on the event's own `auth_events` are judged by `checkAuthEvents`, signatures by `verifyEvent`.
 * https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules
 */
export function authorize(event: RoomEvent, state: AuthState, rules: RoomVersionRules): Verdict {
  const given = { event, state, rules }
  // 1. If type is m.room.create:
  if (event.type === 'm.room.create') return authorizeCreate(given)
  const numbers = ruleNumbers(rules)
  const room = authorizeInRoom(given, numbers)
  if (!room.ok) return room
  // 4, up to v5. If type is m.room.aliases:
  if (event.type === 'm.room.aliases' && rules.aliasesAuthRule) return authorizeAliases(given)
  // 5 (4 in v6 to v11). If type is m.room.member:
  if (event.type === 'm.room.member') return authorizeMember(given)
  // 6 (5 in v6 to v11). If the sender's current membership state is not join, reject.
  if (membershipOf(event.sender, state) !== 'join')
    return refused(`${numbers.sender}`, 'Only members of the room can send.')
  // 7 (6 in v6 to v11). If type is m.room.third_party_invite:
  if (event.type === 'm.room.third_party_invite') return authorizeThirdPartyInvite(given)
  const power = authorizePower(given, numbers)
  if (!power.ok) return power
  // 10 (9 in v6 to v11). If type is m.room.power_levels:
  if (event.type === 'm.room.power_levels') return authorizePowerLevels(given)
  // 11, in v1 and v2. If type is m.room.redaction:
  if (event.type === 'm.room.redaction' && rules.redactionAuthRule) return authorizeRedaction(given)
  // Otherwise, allow.
  return allowed
}

/** The room exists, and lets servers other than its own take part. */
function authorizeInRoom({ event, state: { create }, rules }: AuthCase, numbers: RuleNumbers): Verdict {
  // 2.4, up to v11. If there is no m.room.create event among the entries, reject.
  if (create === undefined) return refused(numbers.noCreateEvent, 'Expected a room with a create event.')
  // 2, from v12. If the event's room_id is not an event ID for an accepted (not rejected) m.room.create event, with the
  // sigil ! instead of $, reject.
  if (rules.roomIdIsCreateHash && createEventIdOf(event.roomId) !== create.eventId) {
    return refused('2', 'Expected the room ID that the create event makes.')
  }
  // 3 (4 in v12). If the content of the m.room.create event in the room state has the property m.federate set to false,
  // and the sender domain of the event does not match the sender domain of the create event, reject.
  if (get(create.content, 'm.federate') === false && serverNameOf(event.sender) !== serverNameOf(create.sender)) {
    return refused(`${numbers.federate}`, 'Only users of the server that made it can take part in the room.')
  }
  return allowed
}

/** The sender has the power to send such an event, or to set such state. */
function authorizePower(given: AuthCase, numbers: RuleNumbers): Verdict {
  const { event, state, rules } = given
  const powerLevels = powerLevelsOf(state, rules)
  if (isRefusal(powerLevels)) return powerLevels
  // 8 (7 in v6 to v11). If the event type's required power level is greater than the sender's power level, reject.
  const required = requiredPower(event.type, event.stateKey !== undefined, powerLevels)
  if (required > powerIn(event.sender, powerLevels, given)) {
    return refused(`${numbers.requiredPower}`, `Sending ${event.type} takes power level ${required}.`)
  }
  // 9 (8 in v6 to v11). If the event has a state_key that starts with an @ and does not match the sender, reject.
  if (event.stateKey?.startsWith('@') && event.stateKey !== event.sender) {
    return refused(`${numbers.userStateKey}`, 'Only a user can set the state under its ID.')
  }
  return allowed
}
