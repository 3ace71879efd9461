import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { Name } from './conflicted.ts'
import { type ResolutionContext, type StateForCheck, stateMaker } from './resolution-context.ts'

/** The state that iterative auth checks begin with. */
export type InitialState<Key extends Name, Id extends Name> = {
  /** The unconflicted state map in version 2; in 2.1, which starts from an empty map, it knows nothing. */
  readonly unconflicted: (key: Key) => Id | undefined
  /** The create event of the room. */
  readonly create: RoomEvent | undefined
}

/**
 * The iterative auth checks: applies each event in turn to `state`, which is changed, where the authorization rules
 * allow it by the state so far. What that state lacks is taken from the event's own auth events unless rejected.
 * Events that are not known, or are no state events, are ignored. https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function applyAllowed<Key extends Name, Id extends Name>(
  ids: readonly Id[],
  state: Map<Key, Id>,
  initial: InitialState<Key, Id>,
  context: ResolutionContext<Key, Id>,
): void {
  const stateOf = stateMaker(context.rules, initial.create)
  for (const id of ids) {
    const event = context.event(id)
    if (event?.stateKey === undefined) continue
    if (context.isAllowed(event, stateOf(lookUpFor(id, state, initial, context))).ok) {
      state.set(context.keyOf(event.type, event.stateKey), id)
    }
  }
}

function lookUpFor<Key extends Name, Id extends Name>(
  id: Id,
  state: ReadonlyMap<Key, Id>,
  initial: InitialState<Key, Id>,
  context: ResolutionContext<Key, Id>,
): StateForCheck['get'] {
  return (type, stateKey) => {
    const key = context.keyOf(type, stateKey)
    const current = state.get(key) ?? initial.unconflicted(key)
    return current === undefined ? citedEvent(id, { type, stateKey }, context) : context.event(current)
  }
}

function citedEvent<Key extends Name, Id extends Name>(
  id: Id,
  wanted: { readonly type: string; readonly stateKey: string },
  context: ResolutionContext<Key, Id>,
): RoomEvent | undefined {
  let least: RoomEvent | undefined
  for (const cited of context.authEvents(id)) {
    const event = context.event(cited)
    if (event?.type !== wanted.type || event.stateKey !== wanted.stateKey) continue
    if (context.isRejected?.(cited) === true) continue
    if (least === undefined || event.eventId < least.eventId) least = event
  }
  return least
}
