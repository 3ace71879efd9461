import type { Name } from './conflicted.ts'
import { citedPowerLevels, type ResolutionContext } from './resolution-context.ts'

/**
 * Events in mainline order, based on the power levels event of a partly resolved state (`undefined`: there is none):
 * first those whose power levels left the mainline earliest or never met it, then the older, then the smaller event
 * ID. Events that are not known are left out. https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function sortByMainline<Key extends Name, Id extends Name>(
  ids: Iterable<Id>,
  powerLevels: Id | undefined,
  context: ResolutionContext<Key, Id>,
): readonly Id[] {
  const positions = mainlineOf(powerLevels, context)
  const placed: { readonly id: Id; readonly position: number; readonly ts: number; readonly eventId: string }[] = []
  for (const id of new Set(ids)) {
    const event = context.event(id)
    if (event === undefined) continue
    const position = positionOf(citedPowerLevels(id, context), positions, context)
    placed.push({ id, position, ts: event.originServerTs, eventId: event.eventId })
  }
  placed.sort((x, y) => {
    if (x.position !== y.position) return x.position > y.position ? -1 : 1
    if (x.ts !== y.ts) return x.ts < y.ts ? -1 : 1
    return x.eventId < y.eventId ? -1 : 1
  })
  return placed.map(({ id }) => id)
}

function mainlineOf<Key extends Name, Id extends Name>(
  start: Id | undefined,
  context: ResolutionContext<Key, Id>,
): Map<Id, number> {
  const positions = new Map<Id, number>()
  let next = start
  while (next !== undefined && !positions.has(next)) {
    positions.set(next, positions.size)
    next = citedPowerLevels(next, context)
  }
  return positions
}

/** Notes the position of every power levels event on the way, so that shared ways are walked once. */
function positionOf<Key extends Name, Id extends Name>(
  start: Id | undefined,
  positions: Map<Id, number>,
  context: ResolutionContext<Key, Id>,
): number {
  const way = new Set<Id>()
  let next = start
  while (next !== undefined && !positions.has(next) && !way.has(next)) {
    way.add(next)
    next = citedPowerLevels(next, context)
  }
  const position = (next === undefined ? undefined : positions.get(next)) ?? Number.POSITIVE_INFINITY
  for (const id of way) positions.set(id, position)
  return position
}
