import { get } from '#util/json.ts'
import { allowed, isRefusal, refused, type Verdict } from '#util/verdict.ts'
import { type AuthCase, joinRuleOf, membershipOf, powerIn, powerLevelsOf } from './auth-state.ts'
import { authorizeAuthoriser, authorizeRestrictedJoin } from './restricted-join.ts'
import { ruleNumbers } from './rule-numbers.ts'
import { authorizeThirdPartyMember } from './third-party-invite.ts'

/**
 * Whether `m.room.member` may be sent: rule 4 in versions 6 to 11, else 5. The numbers in the comments are those inside
 * of that rule from version 8 on; refusals have those of the room's version.
 * https://spec.matrix.org/v1.19/rooms/v8/#authorization-rules
 */
export function authorizeMember(given: AuthCase): Verdict {
  const { event, rules } = given
  const numbers = ruleNumbers(rules)
  // 1. If there is no state_key property, or no membership property in content, reject.
  const membership = get(event.content, 'membership')
  if (event.stateKey === undefined || membership === undefined) {
    return refused(`${numbers.member}.1`, 'Expected a membership and a state key.')
  }
  if (rules.restricted) {
    const verdict = authorizeAuthoriser(given)
    if (!verdict.ok) return verdict
  }
  switch (membership) {
    case 'join':
      return authorizeJoin(given, event.stateKey)
    case 'invite':
      return authorizeInvite(given, event.stateKey)
    case 'leave':
      return authorizeLeave(given, event.stateKey)
    case 'ban':
      return authorizeBan(given, event.stateKey)
    case 'knock':
      if (rules.knock) return authorizeKnock(given, event.stateKey)
  }
  // 8. Otherwise, the membership is unknown. Reject.
  return refused(numbers.membership.unknown, 'Expected a membership that the room version knows.')
}

function authorizeJoin(given: AuthCase, target: string): Verdict {
  const { event, state, rules } = given
  const numbers = ruleNumbers(rules).membership
  // 3.1. If the only previous event is an m.room.create and the state_key is the creator, allow.
  if (isFirstJoin(given, target)) return allowed
  // 3.2. If the sender does not match state_key, reject.
  if (event.sender !== target) return refused(`${numbers.join}.2`, 'Nobody can join for another user.')
  // 3.3. If the sender is banned, reject.
  const membership = membershipOf(event.sender, state)
  if (membership === 'ban') return refused(`${numbers.join}.3`, 'A banned user cannot join.')
  const joinRule = joinRuleOf(state)
  // 3.4. If the join_rule is invite or knock then allow if membership state is invite or join.
  const isByInvite = joinRule === 'invite' || (rules.knock && joinRule === 'knock')
  if (isByInvite && (membership === 'invite' || membership === 'join')) return allowed
  // 3.5. If the join_rule is restricted or knock_restricted:
  const isRestricted = joinRule === 'restricted' && rules.restricted
  if (isRestricted || (joinRule === 'knock_restricted' && rules.knockRestricted)) return authorizeRestrictedJoin(given)
  // 3.6. If the join_rule is public, allow.
  if (joinRule === 'public') return allowed
  // 3.7. Otherwise, reject.
  return refused(numbers.joinOtherwise, 'Joining takes an invite, or a join rule that allows it.')
}

function isFirstJoin({ event, state: { create }, rules }: AuthCase, target: string): boolean {
  if (create === undefined || event.prevEvents.length !== 1 || event.prevEvents[0] !== create.eventId) return false
  return target === (rules.creatorIsSender ? create.sender : get(create.content, 'creator'))
}

function authorizeInvite(given: AuthCase, target: string): Verdict {
  const { event, state, rules } = given
  const rule = ruleNumbers(rules).membership.invite
  // 4.1. If content has a third_party_invite property:
  const thirdPartyInvite = get(event.content, 'third_party_invite')
  if (thirdPartyInvite !== undefined) return authorizeThirdPartyMember(given, thirdPartyInvite)
  // 4.2. If the sender's current membership state is not join, reject.
  if (membershipOf(event.sender, state) !== 'join') return refused(`${rule}.2`, 'Only members of the room can invite.')
  // 4.3. If target user's current membership state is join or ban, reject.
  const membership = membershipOf(target, state)
  if (membership === 'join') return refused(`${rule}.3`, 'A member of the room cannot be invited.')
  if (membership === 'ban') return refused(`${rule}.3`, 'A banned user cannot be invited.')
  const powerLevels = powerLevelsOf(state, rules)
  if (isRefusal(powerLevels)) return powerLevels
  // 4.4. If the sender's power level is greater than or equal to the invite level, allow.
  if (powerIn(event.sender, powerLevels, given) >= powerLevels.invite) return allowed
  // 4.5. Otherwise, reject.
  return refused(`${rule}.5`, 'Inviting takes the invite level.')
}

function authorizeLeave(given: AuthCase, target: string): Verdict {
  const { event, state, rules } = given
  const rule = ruleNumbers(rules).membership.leave
  const membership = membershipOf(target, state)
  // 5.1. If the sender matches state_key, allow if and only if that user's current membership state is invite, join, or
  // knock.
  if (event.sender === target) {
    const mayLeave = membership === 'invite' || membership === 'join' || (rules.knock && membership === 'knock')
    return mayLeave ? allowed : refused(`${rule}.1`, 'Only a user who has joined, knocked or was invited can leave.')
  }
  // 5.2. If the sender's current membership state is not join, reject.
  if (membershipOf(event.sender, state) !== 'join') return refused(`${rule}.2`, 'Only members of the room can kick.')
  const powerLevels = powerLevelsOf(state, rules)
  if (isRefusal(powerLevels)) return powerLevels
  const power = powerIn(event.sender, powerLevels, given)
  // 5.3. If the target user's current membership state is ban, and the sender's power level is less than the ban level,
  // reject.
  if (membership === 'ban' && power < powerLevels.ban) return refused(`${rule}.3`, 'Unbanning takes the ban level.')
  // 5.4. If the sender's power level is greater than or equal to the kick level, and the target user's power level is
  // less than the sender's power level, allow.
  if (power >= powerLevels.kick && powerIn(target, powerLevels, given) < power) return allowed
  // 5.5. Otherwise, reject.
  return refused(`${rule}.5`, 'Kicking takes the kick level, and more power than the user has.')
}

function authorizeBan(given: AuthCase, target: string): Verdict {
  const { event, state, rules } = given
  const rule = ruleNumbers(rules).membership.ban
  // 6.1. If the sender's current membership state is not join, reject.
  if (membershipOf(event.sender, state) !== 'join') return refused(`${rule}.1`, 'Only members of the room can ban.')
  const powerLevels = powerLevelsOf(state, rules)
  if (isRefusal(powerLevels)) return powerLevels
  // 6.2. If the sender's power level is greater than or equal to the ban level, and the target user's power level is
  // less than the sender's power level, allow.
  const power = powerIn(event.sender, powerLevels, given)
  if (power >= powerLevels.ban && powerIn(target, powerLevels, given) < power) return allowed
  // 6.3. Otherwise, reject.
  return refused(`${rule}.3`, 'Banning takes the ban level, and more power than the user has.')
}

function authorizeKnock({ event, state, rules }: AuthCase, target: string): Verdict {
  const rule = ruleNumbers(rules).membership.knock
  // 7.1. If the join_rule is anything other than knock or knock_restricted, reject.
  const joinRule = joinRuleOf(state)
  if (joinRule !== 'knock' && !(rules.knockRestricted && joinRule === 'knock_restricted')) {
    return refused(`${rule}.1`, 'The join rule of the room does not let users knock.')
  }
  // 7.2. If sender does not match state_key, reject.
  if (event.sender !== target) return refused(`${rule}.2`, 'Nobody can knock for another user.')
  // 7.3. If the sender's current membership is not ban, invite, or join, allow.
  if (!['ban', 'invite', 'join'].includes(membershipOf(event.sender, state))) return allowed
  // 7.4. Otherwise, reject.
  return refused(`${rule}.4`, 'A user who is banned, invited or joined cannot knock.')
}
