import { parseUserId, serverNameOf } from '#protocol/identifiers.ts'
import { roomVersion } from '#protocol/room-versions.ts'
import { get } from '#util/json.ts'
import { allowed, refused, type Verdict } from '#util/verdict.ts'
import type { AuthCase } from './auth-state.ts'

/** Rule 1: whether `m.room.create` may make a room. https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules */
export function authorizeCreate({ event, rules }: Pick<AuthCase, 'event' | 'rules'>): Verdict {
  // 1.1. If it has any prev_events, reject.
  if (event.prevEvents.length > 0) return refused('1.1', 'Expected a create event without prev_events.')
  // 1.2, up to v11. If the domain of the room_id does not match the domain of the sender, reject.
  if (!rules.roomIdIsCreateHash && serverNameOf(event.roomId) !== serverNameOf(event.sender)) {
    return refused('1.2', 'Expected a room ID of the server of the sender.')
  }
  // 1.2, from v12. If the event has a room_id, reject.
  if (rules.roomIdIsCreateHash && Object.hasOwn(event.pdu, 'room_id')) {
    return refused('1.2', 'Expected a create event without room_id, which it is itself.')
  }
  // 1.3. If content.room_version is present and is not a recognised version, reject.
  const version = get(event.content, 'room_version')
  if (version !== undefined && (typeof version !== 'string' || roomVersion(version) === undefined)) {
    return refused('1.3', 'Expected a room version that is known.')
  }
  // 1.4, up to v10. If content has no creator property, reject.
  if (!rules.creatorIsSender && !Object.hasOwn(event.content, 'creator')) {
    return refused('1.4', 'Expected a create event that names the creator.')
  }
  // 1.4, from v12. If additional_creators is present in content and is not an array of strings where each string passes
  // the same user ID validation applied to sender, reject.
  if (rules.privilegedCreators && !isCreatorList(get(event.content, 'additional_creators'))) {
    return refused('1.4', 'Expected additional_creators to be an array of user IDs.')
  }
  // 1.5 (1.4 in v11). Otherwise, allow.
  return allowed
}

const isCreatorList = (value: unknown): boolean =>
  value === undefined || (Array.isArray(value) && value.every((each) => parseUserId(each) !== undefined))
