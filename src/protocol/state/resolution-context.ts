import type { RoomEvent } from '#protocol/events/pdu.ts'
import { type PowerLevels, readPowerLevels } from '#protocol/power-levels.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import type { Refusal, Verdict } from '#util/verdict.ts'
import type { AuthEvents } from './auth-chain.ts'
import { type Conflict, conflictedIds, type Name } from './conflicted.ts'

/** The state by which the authorization rules judge an event. */
export type StateForCheck = {
  readonly create: RoomEvent | undefined
  /** The state event of a type and state key, or `undefined`. */
  readonly get: (type: string, stateKey: string) => RoomEvent | undefined
  /** What the power levels event says; each event is read once in a resolution. */
  readonly powerLevels: PowerLevels | Refusal
}

/** What a resolution asks of its caller. Everything is answered from memory: the caller fetches what may be asked first. */
export type ResolutionContext<Key extends Name, Id extends Name> = {
  readonly rules: RoomVersionRules
  /** An event, or `undefined` where it is not known: it then takes no part. */
  readonly event: (id: Id) => RoomEvent | undefined
  readonly authEvents: AuthEvents<Id>
  /** The key of a type and state key, also of one that stands in none of the states. */
  readonly keyOf: (type: string, stateKey: string) => Key
  /** The authorization rules, those that look at the state. https://spec.matrix.org/v1.19/server-server-api/#authorisation-rules */
  readonly isAllowed: (event: RoomEvent, state: StateForCheck) => Verdict
  /** Whether an event was rejected; a rejected auth event is not used to check another. Absent: none was. */
  readonly isRejected?: (id: Id) => boolean
  /** Numbers of auth events are smaller than that of the event that cites them. Makes the auth difference cheaper. */
  readonly isTopological?: boolean
}

/** The create event of the room behind a conflict, where the states have one. */
export function createEventOf<Key extends Name, Id extends Name>(
  conflict: Conflict<Key, Id>,
  context: ResolutionContext<Key, Id>,
): RoomEvent | undefined {
  const agreed = conflict.unconflicted(context.keyOf('m.room.create', ''))
  const found = agreed === undefined ? undefined : context.event(agreed)
  if (found !== undefined) return found
  let first: RoomEvent | undefined
  for (const id of conflictedIds(conflict)) {
    const event = context.event(id)
    if (event?.type !== 'm.room.create' || event.stateKey !== '') continue
    if (first === undefined || event.eventId < first.eventId) first = event
  }
  return first
}

/** The power levels event among the auth events of an event; the one with the least event ID where it wrongly cites several. */
export function citedPowerLevels<Key extends Name, Id extends Name>(
  id: Id,
  context: ResolutionContext<Key, Id>,
): Id | undefined {
  let least: { readonly id: Id; readonly eventId: string } | undefined
  for (const cited of context.authEvents(id)) {
    const event = context.event(cited)
    if (event?.type !== 'm.room.power_levels' || event.stateKey !== '') continue
    if (least === undefined || event.eventId < least.eventId) least = { id: cited, eventId: event.eventId }
  }
  return least?.id
}

/**
 * Makes states to check by out of look-ups, reading each power levels event once. Where the room ID implies the create
 * event, that is `impliedCreate`; elsewhere the state has it.
 */
export function stateMaker(
  rules: RoomVersionRules,
  impliedCreate: RoomEvent | undefined,
): (get: StateForCheck['get']) => StateForCheck {
  const known = new Map<RoomEvent | undefined, PowerLevels | Refusal>()
  const levelsOf = (event: RoomEvent | undefined): PowerLevels | Refusal => {
    const levels = known.get(event) ?? readPowerLevels(event?.content, rules)
    known.set(event, levels)
    return levels
  }
  return (get) => ({
    get create() {
      return rules.roomIdIsCreateHash ? impliedCreate : get('m.room.create', '')
    },
    get,
    get powerLevels() {
      return levelsOf(get('m.room.power_levels', ''))
    },
  })
}
