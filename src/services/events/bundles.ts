import { isValidEdit } from '#protocol/relations.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { type SeenEvent, visibleTo } from '#services/sync/visibility.ts'
import type { Reader } from '#storage/database.ts'
import { numberInRoom } from '#storage/room-key.ts'
import { editsOf, MAX_RELATED, type RelatedRow, referencesTo, threadsOf } from '#storage/stores/relations.ts'
import { type Audience, printEvent } from './client-events.ts'

/** How many referring events are listed. */
const MAX_REFERENCES = 100

/** What later events say of events, put into `m.relations`. https://spec.matrix.org/v1.19/client-server-api/#aggregations-of-child-events */
export class Bundles {
  readonly #db: Reader

  constructor(db: Reader) {
    this.#db = db
  }

  /** The printed `m.relations` of those of the events that have any, by n. */
  async of(view: RoomView, seen: readonly SeenEvent[], audience: Audience): Promise<Map<number, string>> {
    const asked = mayHaveChildren(
      view,
      seen.map(({ event }) => event),
    )
    if (asked.size === 0) return new Map()
    const parts: Parts = new Map()
    const adding = { audience, add: adder(parts) }
    const related = [...(await this.#addOwn(view, asked, adding)), await this.#addThreads(view, asked, adding)]
    noteUnrelated(asked, related, audience.upTo)
    return printed(parts)
  }

  /** All but threads, which only begin at what relates to nothing. */
  async #addOwn(view: RoomView, asked: Asked, adding: Adding): Promise<Targets[]> {
    if (asked.size === 0) return []
    return [await this.#addEdits(view, asked, adding), await this.#addReferences(view, asked, adding)]
  }

  /** The latest valid edit, as an event of its own: the content of the original stays. https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mreplace-relationships */
  async #addEdits(view: RoomView, asked: Asked, { audience, add }: Adding): Promise<Targets> {
    const found = new Set<string>()
    const rows = await editsOf(this.#db, view.room, { ids: asked.keys(), upTo: audience.upTo })
    for (const row of rows) {
      const original = asked.get(row.target)
      if (original === undefined || found.has(row.target) || row.sender !== original.row.sender) continue
      const edit = await view.event(numberInRoom(row.event))
      if (edit === undefined || !isValidEdit(edit.event, original.event).ok) continue
      if (!(await isVisible(view, edit, audience))) continue
      found.add(row.target)
      add(original.n, `"m.replace":${this.#print(view, edit, audience)}`)
    }
    return rows
  }

  async #addReferences(view: RoomView, asked: Asked, { audience, add }: Adding): Promise<Targets> {
    const chunks = new Map<string, string[]>()
    const rows = await referencesTo(this.#db, view.room, { ids: asked.keys(), upTo: audience.upTo })
    for (const row of rows) {
      if (isIgnored(row, audience)) continue
      const chunk = chunks.get(row.target) ?? []
      if (chunk.length < MAX_REFERENCES) chunk.push(`{"event_id":${JSON.stringify(row.eventId)}}`)
      chunks.set(row.target, chunk)
    }
    for (const [target, chunk] of chunks) {
      const original = asked.get(target)
      if (original !== undefined) add(original.n, `"m.reference":{"chunk":[${chunk.join(',')}]}`)
    }
    return rows
  }

  /** The latest event, the count, and whether the viewer takes part. https://spec.matrix.org/v1.19/client-server-api/#server-side-aggregation-of-mthread-relationships */
  async #addThreads(view: RoomView, asked: Asked, { audience, add }: Adding): Promise<Targets> {
    const threads = new Map<string, { count: number; latest: number; isIn: boolean }>()
    const rows = await threadsOf(this.#db, view.room, { ids: asked.keys(), upTo: audience.upTo })
    for (const row of rows) {
      if (audience.ignored.has(row.sender)) continue
      const thread = threads.get(row.target) ?? { count: 0, latest: 0, isIn: false }
      thread.count += row.count
      thread.latest = Math.max(thread.latest, row.latest)
      thread.isIn ||= row.sender === audience.requester.user
      threads.set(row.target, thread)
    }
    const latest = await view.events([...threads.values()].map(({ latest }) => numberInRoom(latest)))
    const own: Parts = new Map()
    await this.#addOwn(view, mayHaveChildren(view, latest.values()), { audience, add: adder(own) })
    const relations = printed(own)
    for (const [target, { count, latest: key, isIn }] of threads) {
      const root = asked.get(target)
      const event = latest.get(numberInRoom(key))
      if (root === undefined || event === undefined || !(await isVisible(view, event, audience))) continue
      const participated = isIn || root.row.sender === audience.requester.user
      const shown = this.#print(view, event, audience, relations.get(event.n))
      add(root.n, `"m.thread":{"latest_event":${shown},"count":${count},"current_user_participated":${participated}}`)
    }
    return rows
  }

  #print(view: RoomView, event: LoadedEvent, { now }: Audience, relations?: string): string {
    const age = `"age":${Math.max(0, now - event.row.originServerTs)}`
    const unsigned = relations === undefined ? `{${age}}` : `{${age},"m.relations":${relations}}`
    return printEvent(view, event, { unsigned, withRoomId: true })
  }
}

type Asked = ReadonlyMap<string, LoadedEvent>
/** What was read of relations, whatever became of it. */
type Targets = readonly { readonly target: string }[]
/** Fields of `m.relations`, printed, by n of the event. */
type Parts = Map<number, string[]>

/** Those of the events to which others may relate, by ID. */
function mayHaveChildren(view: RoomView, events: Iterable<LoadedEvent>): Asked {
  const asked = new Map<string, LoadedEvent>()
  for (const event of events) {
    if (event.row.stateKey !== undefined || event.row.redactedBy !== undefined || view.isUnrelated(event)) continue
    asked.set(event.row.eventId, event)
  }
  return asked
}

const adder = (parts: Parts) => (n: number, part: string) => parts.set(n, [...(parts.get(n) ?? []), part])

const printed = (parts: Parts): Map<number, string> =>
  new Map([...parts].map(([n, fields]) => [n, `{${fields.join(',')}}`]))

type Adding = { readonly audience: Audience; readonly add: (n: number, part: string) => unknown }

/** Events that nothing related to need not be asked of again. */
function noteUnrelated(asked: Asked, related: readonly Targets[], upTo: number): void {
  // There may be more than was read.
  if (related.some((rows) => rows.length >= MAX_RELATED)) return
  const targets = new Set(related.flatMap((rows) => rows.map(({ target }) => target)))
  for (const event of asked.values()) if (!targets.has(event.row.eventId)) event.unrelatedUpTo = upTo
}

/** Whoever was out for a while may see what is before and after, but not that. */
const isVisible = async (view: RoomView, event: LoadedEvent, { viewer }: Audience): Promise<boolean> =>
  (await visibleTo(view, viewer, [event])).length > 0

const isIgnored = (row: RelatedRow, { ignored }: Audience): boolean => ignored.has(row.sender)
