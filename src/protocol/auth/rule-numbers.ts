import type { RoomVersionRules } from '#protocol/room-versions.ts'

/** The numbers that the authorization rules have on the page of a room version. https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules */
export type RuleNumbers = {
  /** "Considering the event's auth_events"; only version 12 numbers what comes before. */
  readonly authEvents: number
  readonly noCreateEvent: string
  readonly federate: number
  readonly member: number
  readonly membership: MembershipRuleNumbers
  /** The sender is no member. */
  readonly sender: number
  readonly thirdPartyInvite: number
  readonly requiredPower: number
  readonly userStateKey: number
  readonly powerLevels: number
  /** The rules on values that come before the comparison with the old power levels; the first compares. */
  readonly powerLevelChanges: number
  readonly redaction: number
}

/** The numbers inside of the rule on `m.room.member`. */
export type MembershipRuleNumbers = {
  readonly authorisedVia: string
  readonly join: string
  readonly invite: string
  readonly leave: string
  readonly ban: string
  readonly knock: string
  readonly unknown: string
  /** Inside of `join`: the last rule, where no other has allowed it. */
  readonly joinOtherwise: string
}

/** The numbers of a room version's own page, so that a refusal can be looked up there. https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules */
export function ruleNumbers(rules: RoomVersionRules): RuleNumbers {
  // Version 12 adds rule 2; up to version 5, rule 4 is about aliases.
  const added = rules.roomIdIsCreateHash ? 1 : 0
  const member = 4 + added + (rules.aliasesAuthRule ? 1 : 0)
  return {
    authEvents: 2 + added,
    noCreateEvent: rules.roomIdIsCreateHash ? '2' : '2.4',
    federate: 3 + added,
    member,
    membership: membershipRuleNumbers(member, rules),
    sender: member + 1,
    thirdPartyInvite: member + 2,
    requiredPower: member + 3,
    userStateKey: member + 4,
    powerLevels: member + 5,
    powerLevelChanges: firstPowerLevelChange(rules),
    redaction: member + 6,
  }
}

function membershipRuleNumbers(member: number, rules: RoomVersionRules): MembershipRuleNumbers {
  // Version 8 adds the second rule, version 7 the one on knocking.
  const join = rules.restricted ? 3 : 2
  const unknown = join + (rules.knock ? 5 : 4)
  return {
    authorisedVia: `${member}.2`,
    join: `${member}.${join}`,
    invite: `${member}.${join + 1}`,
    leave: `${member}.${join + 2}`,
    ban: `${member}.${join + 3}`,
    knock: `${member}.${join + 4}`,
    unknown: `${member}.${unknown}`,
    joinOtherwise: `${member}.${join}.${rules.restricted ? 7 : 6}`,
  }
}

/** The rule after "If there is no previous m.room.power_levels event in the room, allow". */
function firstPowerLevelChange(rules: RoomVersionRules): number {
  if (rules.privilegedCreators) return 6
  return rules.powerLevels === 'integers' ? 5 : 3
}
