import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { allowed, refused, type Verdict } from '#util/verdict.ts'
import { authEventKeys } from './auth-event-types.ts'
import { ruleNumbers } from './rule-numbers.ts'

/** An event that another names in `auth_events`, and whether it was rejected when it came. */
export type AuthEvent = { readonly event: RoomEvent; readonly isRejected: boolean }

/**
 * Judges the events that an event names in `auth_events`, all of which must be at hand: rule 2, or 3 in version 12.
 * The create event, which names none, is judged by `authorize` alone.
 * https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules
 */
export function checkAuthEvents(event: RoomEvent, authEvents: readonly AuthEvent[], rules: RoomVersionRules): Verdict {
  if (event.type === 'm.room.create') return allowed
  const rule = ruleNumbers(rules).authEvents
  const pairs = authEvents.map(({ event: { type, stateKey } }) => pairKey(type, stateKey))
  // 1. If there are duplicate entries for a given type and state_key pair, reject.
  if (new Set(pairs).size < pairs.length)
    return refused(`${rule}.1`, 'Expected one auth event of each type and state key.')
  // 2. If there are entries whose type and state_key don't match those specified by the auth events selection, reject.
  const expected = new Set(authEventKeys(event, rules).map(([type, stateKey]) => pairKey(type, stateKey)))
  if (!pairs.every((pair) => expected.has(pair)))
    return refused(`${rule}.2`, 'Expected only the auth events that are selected for this event.')
  // 3. If there are entries which were themselves rejected, reject.
  if (authEvents.some(({ isRejected }) => isRejected))
    return refused(`${rule}.3`, 'Expected auth events that were not rejected.')
  // 4, up to v11. If there is no m.room.create event among the entries, reject.
  if (!rules.roomIdIsCreateHash && !pairs.includes(pairKey('m.room.create', ''))) {
    return refused(`${rule}.4`, 'Expected the create event among the auth events.')
  }
  // 5 (4 in v12). If any event in auth_events has a room_id which does not match that of the event being authorised, reject.
  if (authEvents.some((entry) => entry.event.roomId !== event.roomId)) {
    return refused(`${rule}.${rules.roomIdIsCreateHash ? 4 : 5}`, 'Expected auth events of the same room.')
  }
  return allowed
}

/** A type and state key as one string; message events have a pair of their own, which nobody expects. */
const pairKey = (type: string, stateKey: string | undefined): string => JSON.stringify([type, stateKey ?? null])
