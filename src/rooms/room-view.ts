import type { RoomId } from '#protocol/identifiers.ts'
import { readRelation } from '#protocol/relations.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { roomKey } from '#storage/room-key.ts'
import { entries, lookUp } from '#storage/state-trie/trie.ts'
import { arrivedEvents, stateAfterLast } from '#storage/stores/events.ts'
import { heroRows, membershipCounts } from '#storage/stores/memberships.ts'
import { currentStateAt, keyCountOf, keysOfNoMembers } from '#storage/stores/states.ts'
import type { EventHome, LoadedEvent } from './loaded-event.ts'
import type { RoomStore } from './room-store.ts'

/** How many of the last arrivals are remembered. */
const REMEMBERED = 64
/** How many events are remembered that something relates to. */
const MAX_RELATED = 200
/** So many members are named: five, and the one who asks. */
const FIRST_MEMBERS = 6

type Arrival = { readonly pos: number; readonly n: number }
type Moved = { readonly pos: number; readonly state: number }

/** How many members a room has and which became so first; and who was one, where at most one is. */
export type MemberSummary = {
  readonly joined: number
  readonly invited: number
  readonly present: readonly number[]
  readonly former: readonly number[]
}

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
  /** IDs of the events that arrivals since `#relationsFrom` relate to. */
  readonly #related = new Set<string>()
  #relationsFrom: number
  /** Key numbers that are no memberships, as long as the room has so many keys. */
  #others: { readonly count: number; readonly keys: readonly number[] } | undefined
  #members: { readonly state: number; readonly summary: Promise<MemberSummary> } | undefined
  #epoch = Symbol('epoch')
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

  /** Another one after each redaction that took effect, and in each view of the room: what was made of events before is no longer true. */
  get epoch(): symbol {
    return this.#epoch
  }

  /** A redaction took effect. */
  redacted(): void {
    this.#epoch = Symbol('epoch')
  }

  /** An event is durable now. */
  arrived(pos: number, n: number): void {
    this.#arrivals.push({ pos, n })
    this.#noteRelation(pos, this.store.eventAtHand(this.room, n))
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
    const events = rows.map((row) => this.store.loaded(row, this)).reverse()
    this.#rememberArrivals(events, { since, upTo, limit })
    return events
  }

  /** As `arrivals`, if all of it is in memory. */
  arrivalsAtHand(since: number, upTo: number, limit: number): LoadedEvent[] | undefined {
    const known = this.#knownArrivals(since, upTo, limit)
    if (known === undefined) return undefined
    const events: LoadedEvent[] = []
    for (const n of known) {
      const event = this.store.eventAtHand(this.room, n)
      if (event === undefined) return undefined
      events.push(event)
    }
    return events
  }

  /** What was read reaches further back than what was known: it is known from now on. */
  #rememberArrivals(
    events: readonly LoadedEvent[],
    { since, upTo, limit }: { readonly since: number; readonly upTo: number; readonly limit: number },
  ): void {
    const from = events.length < limit ? since : (events[0]?.row.pos ?? upTo) - 1
    if (upTo < this.#arrivalsFrom || from >= this.#arrivalsFrom) return
    const older = events.flatMap(({ n, row: { pos } }) =>
      pos === undefined || pos > this.#arrivalsFrom ? [] : [{ pos, n }],
    )
    if (this.#arrivals.length + older.length > REMEMBERED) return
    this.#arrivals.unshift(...older)
    this.#arrivalsFrom = from
  }

  /** Whether nothing relates to the event, as far as is known without asking the database: none of the arrivals since it, or since it was asked. */
  isUnrelated({ row, unrelatedUpTo }: LoadedEvent): boolean {
    const from = Math.max(row.isBackfilled ? 0 : (row.pos ?? 0), unrelatedUpTo ?? 0)
    return from > 0 && from >= this.#relationsFrom && !this.#related.has(row.eventId)
  }

  #noteRelation(pos: number, event: LoadedEvent | undefined): void {
    const target = event === undefined ? undefined : readRelation(event.content)?.eventId
    if (target !== undefined && this.#related.size < MAX_RELATED) this.#related.add(target)
    else if (target !== undefined || event === undefined) {
      // From here on it is known again.
      this.#related.clear()
      this.#relationsFrom = pos
    }
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

  /** As `stateAt`, if it is in memory. */
  stateAtHand(pos: number): number | undefined {
    for (let at = this.#states.length - 1; at >= 0; at--) {
      const moved = this.#states[at] as Moved
      if (moved.pos <= pos) return moved.state
    }
    return undefined
  }

  /** The number of the state that was current at a position; 0 before there was any. */
  async stateAt(pos: number): Promise<number> {
    const known = this.stateAtHand(pos)
    if (known !== undefined) return known
    const state = await currentStateAt(this.store.db, this.room, pos)
    // What was current so long ago is not kept: the state after the last event until then stands for it.
    if (state === undefined) return (await stateAfterLast(this.store.db, this.room, pos)) ?? 0
    // No change since `#statesFrom` is at or before this position, so the same state was current there.
    if (pos >= this.#statesFrom) this.#states.unshift({ pos: this.#statesFrom, state })
    return state
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

  /** As `stateNumber`, if it was asked for lately. */
  stateNumberAtHand(state: number, type: string, stateKey: string): number | undefined {
    return this.#memo.get(`${state}\0${type}\0${stateKey}`)
  }

  /** How many members the room has in its current state, which is this one, and who they are. Read once for each state. */
  members(state: number): Promise<MemberSummary> {
    if (this.#members?.state !== state) {
      const summary = this.#readMembers()
      this.#members = { state, summary }
      summary.catch(() => {
        if (this.#members?.summary === summary) this.#members = undefined
      })
    }
    return this.#members.summary
  }

  async #readMembers(): Promise<MemberSummary> {
    const { db } = this.store
    const { room } = this
    const counts = await membershipCounts(db, room)
    const [joined, invited] = [counts.get('join') ?? 0, counts.get('invite') ?? 0]
    const present = await heroRows(db, { room, memberships: ['join', 'invite'], limit: FIRST_MEMBERS })
    const former =
      present.length > 1 ? [] : await heroRows(db, { room, memberships: ['leave', 'ban'], limit: FIRST_MEMBERS })
    return { joined, invited, present, former }
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

  /** n of each event in a state that is no membership. Costs how many those are, also in a room of many members. */
  async withoutMembers(state: number): Promise<number[]> {
    const dense = await this.entries(state)
    if (this.#others?.count !== dense.length) {
      this.#others = { count: dense.length, keys: await keysOfNoMembers(this.store.db, this.room) }
    }
    return this.#others.keys.flatMap((key) => dense[key] || [])
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
