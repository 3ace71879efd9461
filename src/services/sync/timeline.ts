import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { CompiledFilter } from './request.ts'
import { type SeenEvent, type Viewer, visibleTo } from './visibility.ts'

/** The events of a sync's timeline, oldest first. */
export type Timeline = {
  readonly events: readonly SeenEvent[]
  /** Events were left out between `since` and the first one. */
  readonly limited: boolean
  /** The last position before the timeline: paging back begins there. */
  readonly before: number
}

type Range = { readonly since: number; readonly upTo: number }

/** How many events are looked through at most for a timeline whose filter passes few. */
const MAX_LOOKED_THROUGH = 1_000

/** The last events that arrived in the range and that the viewer may see and wants, as many as the filter allows. A gap cuts it. */
export const readTimeline = async (
  view: RoomView,
  viewer: Viewer,
  { since, upTo }: Range,
  filter: CompiledFilter,
): Promise<Timeline> => {
  const limit = filter.timelineLimit
  const found: SeenEvent[] = []
  let cursor = upTo
  for (let lookedThrough = 0; lookedThrough < MAX_LOOKED_THROUGH; ) {
    const size = limit + 1 - found.length
    const chunk = await view.arrivals(since, cursor, Math.max(size, lookedThrough === 0 ? size : 50))
    lookedThrough += chunk.length
    const gapAt = chunk.findLastIndex(({ row }) => row.hasGapBefore)
    const known = gapAt === -1 ? chunk : chunk.slice(gapAt)
    found.unshift(...(await wanted(view, viewer, known, filter)))
    if (found.length > limit) return cut(found.slice(found.length - limit), { isLimited: true, upTo })
    if (gapAt !== -1) return { events: found, limited: true, before: (known[0]?.row.pos ?? upTo) - 1 }
    if (chunk.length < size) return cut(found, { isLimited: false, upTo })
    cursor = (chunk[0]?.row.pos ?? since + 1) - 1
    if (cursor <= since) return cut(found, { isLimited: false, upTo })
  }
  return cut(found, { isLimited: true, upTo })
}

const cut = (
  events: readonly SeenEvent[],
  { isLimited, upTo }: { readonly isLimited: boolean; readonly upTo: number },
): Timeline => {
  const first = events[0]?.event.row.pos
  return { events, limited: isLimited, before: first === undefined ? upTo : first - 1 }
}

async function wanted(
  view: RoomView,
  viewer: Viewer,
  events: readonly LoadedEvent[],
  filter: CompiledFilter,
): Promise<SeenEvent[]> {
  const seen = await visibleTo(view, viewer, events)
  if (filter.isTimelineOpen) return seen
  return seen.filter(({ event }) =>
    filter.timeline({
      type: event.row.type,
      sender: event.event.sender,
      roomId: view.roomId,
      content: event.content,
    }),
  )
}
