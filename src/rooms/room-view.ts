import type { RoomId } from '#protocol/identifiers.ts'
import { readRelation } from '#protocol/relations.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { roomKey } from '#storage/room-key.ts'
import { entries, lookUp } from '#storage/state-trie/trie.ts'
import { arrivedEvents, stateAfterLast } from '#storage/stores/events.ts'
import { currentStateAt, keyCountOf } from '#storage/stores/states.ts'
import type { EventHome, LoadedEvent } from './loaded-event.ts'
import type { RoomStore } from './room-store.ts'

/** How many of the last arrivals are remembered. */
const REMEMBERED = 64

type Arrival = { readonly pos: number; readonly n: number }
type Moved = { readonly pos: number; readonly state: number }

/** What is durable of a room, for those who read it. Everything is asked for up to a position. */
export class RoomView implements EventHome {
  readonly room: number
  readonly roomId: RoomId
  readonly rules: RoomVersionRules
  readonly store: RoomStore
  /** Events since `#from`, in the order of arrival; at most the last ones. */
  #arrivals: Arrival[] = []
  #arrivalsFrom: number
  /** Current states since `#statesFrom`. */
  #states: Moved[] = []
  #statesFrom: number
  #dense: { readonly state: number; readonly entries: Uint32Array } | undefined
  /** The last arrival that relates to another event, of those since `#relationsFrom`. */
  #lastRelation = 0
  readonly #relationsFrom: number
  readonly #memo = new Map<string, number>()

  constructor(parts: {
    readonly room: number
    readonly roomId: RoomId
    readonly rules: RoomVersionRules
    readonly store: RoomStore
    /** The applied position: what comes after it is told by `arrived` and `stateMoved`. */
    readonly from: number
  }) {
    this.room = parts.room
    this.roomId = parts.roomId
    this.rules = parts.rules
    this.store = parts.store
    this.#arrivalsFrom = parts.from
    this.#statesFrom = parts.from
    this.#relationsFrom = parts.from
  }

  /** Another one after every redaction that took effect: what was counted under a former one is no longer true. */
  countedEpoch: object = {}

  /** An event is durable now. */
  arrived(pos: number, n: number): void {
    this.#arrivals.push({ pos, n })
    const event = this.store.eventAtHand(this.room, n)
    if (event === undefined || readRelation(event.content) !== undefined) this.#lastRelation = pos
    if (this.#arrivals.length <= REMEMBERED * 2) return
    const [forgotten] = this.#arrivals.splice(0, REMEMBERED).slice(-1)
    this.#arrivalsFrom = forgotten?.pos ?? this.#arrivalsFrom
  }

  /** The current state is another one from that position on. */
  stateMoved(pos: number, state: number): void {
    this.#states.push({ pos, state })
    if (this.#states.length <= REMEMBERED) return
    this.#states.splice(0, REMEMBERED / 2)
    this.#statesFrom = this.#states[0]?.pos ?? pos
  }

  /** The last `limit` events that arrived after `since` and up to `upTo`, oldest first. */
  async arrivals(since: number, upTo: number, limit: number): Promise<LoadedEvent[]> {
    const known = this.#knownArrivals(since, upTo, limit)
    if (known !== undefined) {
      const events = await this.events(known)
      return known.flatMap((n) => events.get(n) ?? [])
    }
    const rows = await arrivedEvents(this.store.db, { room: this.room, since, upTo, limit })
    return rows.map((row) => this.store.loaded(row, this)).reverse()
  }

  /** Whether nothing can relate to the event, because nothing that relates to anything arrived after it. */
  isUnrelated({ row }: LoadedEvent): boolean {
    return row.pos !== undefined && row.pos > this.#relationsFrom && row.pos >= this.#lastRelation
  }

  /** Whether anything arrived after `since` and up to `upTo`, if that is known without asking the database. */
  hasArrivals(since: number, upTo: number): boolean | undefined {
    return this.#knownArrivals(since, upTo, 1)?.length === 1 ? true : since >= this.#arrivalsFrom ? false : undefined
  }

  #knownArrivals(since: number, upTo: number, limit: number): number[] | undefined {
    const found: number[] = []
    for (let at = this.#arrivals.length - 1; at >= 0 && found.length < limit; at--) {
      const { pos, n } = this.#arrivals[at] as Arrival
      if (pos <= since) return found.reverse()
      if (pos <= upTo) found.push(n)
    }
    return found.length === limit || since >= this.#arrivalsFrom ? found.reverse() : undefined
  }

  /** Events of the room by n. */
  events(ns: Iterable<number>): Promise<Map<number, LoadedEvent>> {
    return this.store.events(this.room, this, ns)
  }

  /** One event of the room by n. */
  async event(n: number): Promise<LoadedEvent | undefined> {
    return this.store.eventAtHand(this.room, n) ?? (await this.events([n])).get(n)
  }

  /** The number of the state that was current at a position; 0 before there was any. */
  async stateAt(pos: number): Promise<number> {
    for (let at = this.#states.length - 1; at >= 0; at--) {
      const moved = this.#states[at] as Moved
      if (moved.pos <= pos) return moved.state
    }
    const state = await currentStateAt(this.store.db, this.room, pos)
    // What was current so long ago is not kept: the state after the last event until then stands for it.
    if (state === undefined) return (await stateAfterLast(this.store.db, this.room, pos)) ?? 0
    // No change since `#statesFrom` is at or before this position, so the same state was current there.
    if (pos >= this.#statesFrom) this.#states.unshift({ pos: this.#statesFrom, state })
    return state
  }

  /** The current state's last change, as far as it is remembered. */
  get lastStateMove(): number | undefined {
    return this.#states.at(-1)?.pos
  }

  /** The number of a state key, or `undefined` where the room never had it. */
  keyNumber(type: string, stateKey: string): Promise<number | undefined> {
    return this.store.keyNumber(this.room, { type, stateKey })
  }

  /** n of the event at a type and key in a state; 0 where there is none. */
  async stateNumber(state: number, type: string, stateKey: string): Promise<number> {
    const memo = `${state}\0${type}\0${stateKey}`
    const known = this.#memo.get(memo)
    if (known !== undefined) return known
    const key = await this.keyNumber(type, stateKey)
    const n =
      key === undefined || state === 0 ? 0 : await this.store.states(this.room, (rows) => lookUp(rows, state, key))
    this.#remember(memo, n)
    return n
  }

  /** n of the event at a key's number in a state; 0 where there is none. */
  async stateEntry(state: number, key: number): Promise<number> {
    const memo = `${state}\0${key}`
    const known = this.#memo.get(memo)
    if (known !== undefined) return known
    const n = await this.store.states(this.room, (rows) => lookUp(rows, state, key))
    this.#remember(memo, n)
    return n
  }

  #remember(memo: string, n: number): void {
    if (this.#memo.size > 500) this.#memo.clear()
    this.#memo.set(memo, n)
  }

  /** The event at a type and key in a state. */
  async stateEvent(state: number, type: string, stateKey: string): Promise<LoadedEvent | undefined> {
    const n = await this.stateNumber(state, type, stateKey)
    return n === 0 ? undefined : this.event(n)
  }

  /** n of the event at each key in a state; 0 where there is none. */
  async entries(state: number): Promise<Uint32Array> {
    if (this.#dense?.state === state) return this.#dense.entries
    const count = await keyCountOf(this.store.db, this.room)
    const dense = await this.store.states(this.room, (rows) => entries(rows, state, count))
    this.#dense = { state, entries: dense }
    return dense
  }

  /** Key of an event's row. */
  keyOf(n: number): number {
    return roomKey(this.room, n)
  }

  /** About how many bytes it takes in memory. */
  get bytes(): number {
    return 4_000 + REMEMBERED * 64 + (this.#dense?.entries.byteLength ?? 0)
  }
}
