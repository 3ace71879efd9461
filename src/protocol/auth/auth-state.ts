import type { RoomEvent } from '#protocol/events/pdu.ts'
import { type PowerLevels, powerOf, readPowerLevels } from '#protocol/power-levels.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { getString } from '#util/json.ts'
import { isRefusal, type Refusal, refused } from '#util/verdict.ts'

/** The state that an event is judged by. https://spec.matrix.org/v1.19/server-server-api/#authorization-rules */
export type AuthState = {
  /** The create event of the room, which must not have been rejected; `undefined` where there is none. */
  readonly create: RoomEvent | undefined
  /** The state event of a type and state key, or `undefined`. */
  readonly get: (type: string, stateKey: string) => RoomEvent | undefined
  /** What `readPowerLevels` made of the power levels event, where the caller keeps that; else it is read when needed. */
  readonly powerLevels?: PowerLevels | Refusal | undefined
}

/** An event with all that the rules look at. */
export type AuthCase = { readonly event: RoomEvent; readonly state: AuthState; readonly rules: RoomVersionRules }

/** The membership of a user as the state has it; `leave` for a user it does not know. https://spec.matrix.org/v1.19/client-server-api/#mroommember */
export const membershipOf = (userId: string, state: AuthState): string =>
  getString(state.get('m.room.member', userId)?.content, 'membership') ?? 'leave'

/** The join rule of the room; `invite` where the state has none. https://spec.matrix.org/v1.19/client-server-api/#mroomjoin_rules */
export const joinRuleOf = (state: AuthState): string =>
  getString(state.get('m.room.join_rules', '')?.content, 'join_rule') ?? 'invite'

/** The power levels of the room; a refusal where its power levels event cannot be read. https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels */
export const powerLevelsOf = (state: AuthState, rules: RoomVersionRules): PowerLevels | Refusal => {
  const read = state.powerLevels ?? readPowerLevels(state.get('m.room.power_levels', '')?.content, rules)
  return isRefusal(read) ? refused('power_levels', `Expected power levels that can be read: ${read.reason}`) : read
}

/** The power of a user in the room. https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels */
export const powerIn = (userId: string, powerLevels: PowerLevels, { state, rules }: AuthCase): number =>
  powerOf(userId, { create: state.create, powerLevels }, rules)
