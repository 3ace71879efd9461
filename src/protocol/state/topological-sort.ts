import type { RoomEvent } from '#protocol/events/pdu.ts'
import { type PowerLevels, powerOf, readPowerLevels } from '#protocol/power-levels.ts'
import { isRefusal } from '#util/verdict.ts'
import type { Name } from './conflicted.ts'
import { citedPowerLevels, type ResolutionContext } from './resolution-context.ts'

type Candidate<Id extends Name> = {
  readonly id: Id
  readonly event: RoomEvent
  /** The sender's power by the event's own auth events. */
  readonly power: number
}

/**
 * Events from earliest to latest in reverse topological power order: none before an event it cites, and where the
 * citations leave a choice, first the sender with more power, then the older, then the smaller event ID. Events that
 * are not known are left out. Should events cite each other in a circle, which hashes rule out but room versions 1 and
 * 2 do not, the circle is opened at the event that is first in that order. https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function sortByPower<Key extends Name, Id extends Name>(
  ids: Iterable<Id>,
  create: RoomEvent | undefined,
  context: ResolutionContext<Key, Id>,
): readonly Id[] {
  const candidates = weigh(ids, create, context)
  const { waitsFor, citedBy } = citations(candidates, context)
  const ready = new Heap<Candidate<Id>>(isBefore)
  for (const candidate of candidates.values()) if (waitsFor.get(candidate.id) === 0) ready.push(candidate)
  const sorted = new Set<Id>()
  while (sorted.size < candidates.size) {
    const next = ready.pop() ?? firstOf(candidates, sorted)
    if (next === undefined) break
    if (!sorted.has(next.id)) release(citedBy.get(next.id) ?? [], waitsFor, ready)
    sorted.add(next.id)
  }
  return [...sorted]
}

/** One of the events that each of these cites has been sorted. */
function release<Id extends Name>(
  citing: readonly Candidate<Id>[],
  waitsFor: Map<Id, number>,
  ready: Heap<Candidate<Id>>,
): void {
  for (const candidate of citing) {
    const left = (waitsFor.get(candidate.id) ?? 0) - 1
    waitsFor.set(candidate.id, left)
    if (left === 0) ready.push(candidate)
  }
}

/** For each candidate, how many others it cites and which others cite it. */
function citations<Key extends Name, Id extends Name>(
  candidates: ReadonlyMap<Id, Candidate<Id>>,
  context: ResolutionContext<Key, Id>,
): { readonly waitsFor: Map<Id, number>; readonly citedBy: ReadonlyMap<Id, readonly Candidate<Id>[]> } {
  const waitsFor = new Map<Id, number>()
  const citedBy = new Map<Id, Candidate<Id>[]>()
  for (const candidate of candidates.values()) {
    const cited = new Set(context.authEvents(candidate.id).filter((id) => id !== candidate.id && candidates.has(id)))
    waitsFor.set(candidate.id, cited.size)
    for (const id of cited) {
      const citing = citedBy.get(id)
      if (citing === undefined) citedBy.set(id, [candidate])
      else citing.push(candidate)
    }
  }
  return { waitsFor, citedBy }
}

function weigh<Key extends Name, Id extends Name>(
  ids: Iterable<Id>,
  create: RoomEvent | undefined,
  context: ResolutionContext<Key, Id>,
): ReadonlyMap<Id, Candidate<Id>> {
  const levels = new Map<Id, PowerLevels | undefined>()
  const levelsOf = (id: Id | undefined): PowerLevels | undefined => {
    if (id === undefined) return undefined
    if (!levels.has(id)) {
      const read = readPowerLevels(context.event(id)?.content, context.rules)
      levels.set(id, isRefusal(read) ? undefined : read)
    }
    return levels.get(id)
  }
  const candidates = new Map<Id, Candidate<Id>>()
  for (const id of ids) {
    const event = context.event(id)
    if (event === undefined) continue
    const powerLevels = levelsOf(citedPowerLevels(id, context))
    candidates.set(id, { id, event, power: powerOf(event.sender, { create, powerLevels }, context.rules) })
  }
  return candidates
}

function isBefore<Id extends Name>(x: Candidate<Id>, y: Candidate<Id>): boolean {
  if (x.power !== y.power) return x.power > y.power
  if (x.event.originServerTs !== y.event.originServerTs) return x.event.originServerTs < y.event.originServerTs
  return x.event.eventId < y.event.eventId
}

function firstOf<Id extends Name>(
  candidates: ReadonlyMap<Id, Candidate<Id>>,
  sorted: ReadonlySet<Id>,
): Candidate<Id> | undefined {
  let first: Candidate<Id> | undefined
  for (const candidate of candidates.values()) {
    if (sorted.has(candidate.id)) continue
    if (first === undefined || isBefore(candidate, first)) first = candidate
  }
  return first
}

/** A binary heap: the first item by an order, without sorting the rest. */
class Heap<Item> {
  readonly #items: Item[] = []
  readonly #isBefore: (x: Item, y: Item) => boolean

  constructor(isBefore: (x: Item, y: Item) => boolean) {
    this.#isBefore = isBefore
  }

  push(item: Item): void {
    const items = this.#items
    let at = items.length
    items.push(item)
    while (at > 0) {
      const up = (at - 1) >> 1
      const parent = items[up]
      if (parent === undefined || !this.#isBefore(item, parent)) break
      items[at] = parent
      at = up
    }
    items[at] = item
  }

  pop(): Item | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    if (last === undefined || items.length === 0) return top
    let at = 0
    for (;;) {
      const down = this.#smallerChild(at)
      const child = items[down]
      if (child === undefined || !this.#isBefore(child, last)) break
      items[at] = child
      at = down
    }
    items[at] = last
    return top
  }

  #smallerChild(at: number): number {
    const left = 2 * at + 1
    const [one, other] = [this.#items[left], this.#items[left + 1]]
    return one !== undefined && other !== undefined && this.#isBefore(other, one) ? left + 1 : left
  }
}
