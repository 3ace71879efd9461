import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { get, getString } from '#util/json.ts'

/** The type and state key of a state event. */
export type StateKeyPair = readonly [type: string, stateKey: string]

/**
 * Which state events an event must name in `auth_events`, of those that the state before it has; each pair once. None for
 * the create event. https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 */
export function authEventKeys(
  event: Pick<RoomEvent, 'type' | 'sender' | 'stateKey' | 'content'>,
  rules: RoomVersionRules,
): readonly StateKeyPair[] {
  if (event.type === 'm.room.create') return []
  const keys: StateKeyPair[] = []
  // Depending on the room version, the m.room.create event.
  if (!rules.roomIdIsCreateHash) keys.push(['m.room.create', ''])
  // The current m.room.power_levels event, if any. The sender's current m.room.member event, if any.
  keys.push(['m.room.power_levels', ''], ['m.room.member', event.sender])
  // If type is m.room.member:
  if (event.type === 'm.room.member') addMemberKeys(keys, event, rules)
  return keys
}

function addMemberKeys(
  keys: StateKeyPair[],
  { sender, stateKey, content }: Pick<RoomEvent, 'sender' | 'stateKey' | 'content'>,
  rules: RoomVersionRules,
): void {
  const membership = get(content, 'membership')
  // The target's current m.room.member event, if any.
  const members = new Set<string>()
  if (stateKey !== undefined) members.add(stateKey)
  // If membership is join, invite or knock, the current m.room.join_rules event, if any.
  if (membership === 'join' || membership === 'invite' || membership === 'knock') keys.push(['m.room.join_rules', ''])
  // If membership is invite and content contains a third_party_invite property, the current m.room.third_party_invite
  // event with state_key matching content.third_party_invite.signed.token, if any.
  const token = getString(get(get(content, 'third_party_invite'), 'signed'), 'token')
  if (membership === 'invite' && token !== undefined) keys.push(['m.room.third_party_invite', token])
  // If membership is join, content.join_authorised_via_users_server is present, and the room version supports restricted
  // rooms, then the m.room.member event with state_key matching content.join_authorised_via_users_server.
  const authoriser = getString(content, 'join_authorised_via_users_server')
  if (membership === 'join' && authoriser !== undefined && rules.restricted) members.add(authoriser)
  members.delete(sender)
  for (const member of members) keys.push(['m.room.member', member])
}
