import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { difference } from '#storage/state-trie/difference.ts'

/** The events of a whole state. */
export const wholeState = async (view: RoomView, state: number): Promise<LoadedEvent[]> => {
  if (state === 0) return []
  const ns = (await view.entries(state)).filter((n) => n !== 0)
  return [...(await view.events(ns)).values()]
}

/** The events of a state without its memberships. */
export const stateWithoutMembers = async (view: RoomView, state: number): Promise<LoadedEvent[]> =>
  state === 0 ? [] : [...(await view.events(await view.withoutMembers(state))).values()]

/** The events of a state that another one does not have. Costs what changed between the two. */
export const changedState = async (view: RoomView, before: number, after: number): Promise<LoadedEvent[]> => {
  if (before === after || after === 0) return []
  const differences = await view.store.states(view.room, (rows) => difference(rows, before, after))
  const ns = differences.flatMap((one) => (one.after === 0 ? [] : [one.after]))
  return ns.length === 0 ? [] : [...(await view.events(ns)).values()]
}
