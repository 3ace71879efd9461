import { MAX_THREAD_HOPS, readRelation } from '#protocol/relations.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { eventOfRoom } from '#storage/stores/events.ts'
import { MAIN_THREAD } from '#storage/stores/receipts.ts'

/**
 * Whether a receipt for the event may name the thread: `main`, or a root. Roots and what relates to them otherwise than by the thread are in
 * the main timeline; a client that shows them in the thread may read them there.
 * https://spec.matrix.org/v1.19/client-server-api/#threaded-read-receipts
 */
export const isOfThread = async (view: RoomView, event: LoadedEvent, thread: string): Promise<boolean> => {
  if (event.row.thread !== undefined) return event.row.thread === thread
  let current: LoadedEvent | undefined = event
  for (let hops = 0; hops <= MAX_THREAD_HOPS && current !== undefined; hops++) {
    if (current.row.eventId === thread) return true
    const relation = readRelation(current.content)
    if (relation === undefined) break
    if (relation.relType === 'm.thread') return relation.eventId === thread
    const stored = await eventOfRoom(view.store.db, view.room, relation.eventId)
    current = stored === undefined ? undefined : view.store.loaded(stored, view)
  }
  return thread === MAIN_THREAD
}
