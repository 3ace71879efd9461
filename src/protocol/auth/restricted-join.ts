import { parseUserId } from '#protocol/identifiers.ts'
import { get, getString } from '#util/json.ts'
import { allowed, isRefusal, refused, type Verdict } from '#util/verdict.ts'
import { type AuthCase, membershipOf, powerIn, powerLevelsOf } from './auth-state.ts'
import { ruleNumbers } from './rule-numbers.ts'

/**
 * Rule 4.2 (5.2 in version 12), in versions with restricted joins: the user who authorised a membership must be one
 * whose server can have signed the event. That it did is for `verifyEvent`, which asks for the signature.
 * https://spec.matrix.org/v1.19/rooms/v8/#authorization-rules
 */
export function authorizeAuthoriser({ event, rules }: AuthCase): Verdict {
  // 2. If content has a join_authorised_via_users_server key:
  const user = get(event.content, 'join_authorised_via_users_server')
  if (user === undefined || parseUserId(user) !== undefined) return allowed
  // 2.1. If the event is not validly signed by the homeserver of the user ID denoted by the key, reject.
  return refused(
    `${ruleNumbers(rules).membership.authorisedVia}.1`,
    'Expected join_authorised_via_users_server to be a user ID, whose server can sign.',
  )
}

/** Rule 4.3.5 (5.3.5 in version 12): joins to rooms with the join rule `restricted` or `knock_restricted`. https://spec.matrix.org/v1.19/rooms/v8/#authorization-rules */
export function authorizeRestrictedJoin(given: AuthCase): Verdict {
  const { event, state, rules } = given
  const rule = `${ruleNumbers(rules).membership.join}.5`
  // 5.1. If membership state is join or invite, allow.
  const membership = membershipOf(event.sender, state)
  if (membership === 'join' || membership === 'invite') return allowed
  // 5.2. If the join_authorised_via_users_server key in content is not a user with sufficient permission to invite other
  // users or is not a joined member of the room, reject.
  const user = getString(event.content, 'join_authorised_via_users_server')
  if (user === undefined || membershipOf(user, state) !== 'join') {
    return refused(`${rule}.2`, 'Expected a join that a member of the room authorises.')
  }
  const powerLevels = powerLevelsOf(state, rules)
  if (isRefusal(powerLevels)) return powerLevels
  if (powerIn(user, powerLevels, given) < powerLevels.invite) {
    return refused(`${rule}.2`, 'Authorising a join takes the invite level.')
  }
  // 5.3. Otherwise, allow.
  return allowed
}
