import type { AuthState } from '#protocol/auth/auth-state.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import type { EventId, RoomId } from '#protocol/identifiers.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import type { Fingerprint, Fingerprints } from '#storage/state-trie/fingerprint.ts'
import { entries, lookUp } from '#storage/state-trie/trie.ts'
import type { RoomRow } from '#storage/stores/rooms.ts'
import { Mutex } from '#util/mutex.ts'
import { unpackNumbers } from '#util/varint.ts'
import type { EventHome, LoadedEvent } from './loaded-event.ts'
import type { RoomStore, StateKeyName } from './room-store.ts'

/** An event that nothing known comes after. */
export type Extremity = {
  readonly n: number
  readonly eventId: EventId
  readonly depth: number
  readonly stateAfter: number
}

/** Where a room stands, what is on its way to the database included. */
export type RoomHead = {
  readonly writeNumber: number
  readonly nextEvent: number
  readonly nextStateKey: number
  readonly nextState: number
  readonly currentState: number
  /** Of the current state. */
  readonly fingerprint: Fingerprint
  readonly extremities: readonly Extremity[]
}

/** What was made but is not durable yet. */
export type Pending = {
  readonly events: Map<number, LoadedEvent>
  readonly stateRows: Map<number, Uint8Array>
  readonly keys: Map<string, number>
  readonly keyNames: Map<number, StateKeyName>
}

/**
 * A room in memory. What is built here runs ahead of the database; if a commit fails, the room is dropped and read again. Whoever builds an
 * event holds `queue`.
 */
export class ActiveRoom implements EventHome {
  readonly room: number
  readonly roomId: RoomId
  readonly rules: RoomVersionRules
  /** Orders what builds on the head. */
  readonly queue = new Mutex()
  readonly pending: Pending = { events: new Map(), stateRows: new Map(), keys: new Map(), keyNames: new Map() }
  /** A commit failed: nothing more may be built on this object. */
  isDropped = false
  head: RoomHead
  /** How many users are in the room, those whose joining is not durable yet too. */
  joinedCount: number
  readonly store: RoomStore
  readonly fingerprints: Fingerprints
  /** Event n by state key number in the head's state; 0 where there is none. */
  #entries: Uint32Array | undefined

  constructor(parts: {
    readonly row: RoomRow
    readonly rules: RoomVersionRules
    readonly extremities: readonly Extremity[]
    readonly fingerprint: Fingerprint
    readonly fingerprints: Fingerprints
    readonly joinedCount: number
    readonly store: RoomStore
  }) {
    const { row } = parts
    this.room = row.room
    this.roomId = row.roomId as RoomId
    this.rules = parts.rules
    this.store = parts.store
    this.fingerprints = parts.fingerprints
    this.joinedCount = parts.joinedCount
    this.head = { ...row, extremities: parts.extremities, fingerprint: parts.fingerprint }
  }

  /** Event n in the head's state by state key number, read when first asked for. */
  async entries(): Promise<Uint32Array> {
    this.#entries ??= await this.store.states(
      this.room,
      (rows) => entries(rows, this.head.currentState, this.head.nextStateKey),
      this.pending.stateRows,
    )
    return this.#entries
  }

  /** The head's state has another event at a key now. Kept in step by whoever moves the head. */
  setEntry(key: number, n: number): void {
    const known = this.#entries
    if (known === undefined) return
    if (key < known.length) known[key] = n
    else {
      const larger = new Uint32Array(Math.max(key + 1, known.length + 32, Math.ceil(known.length * 1.25)))
      larger.set(known)
      larger[key] = n
      this.#entries = larger
    }
  }

  /** The head's state was resolved anew: its entries are read again. */
  forgetEntries(): void {
    this.#entries = undefined
  }

  /** The number of a state key, or `undefined` where the room never had it. */
  async keyNumber(name: StateKeyName): Promise<number | undefined> {
    return this.pending.keys.get(`${name.type}\0${name.stateKey}`) ?? (await this.store.keyNumber(this.room, name))
  }

  /** n of the current state event of that type and key; 0 where there is none. */
  async stateNumber(type: string, stateKey: string): Promise<number> {
    const key = await this.keyNumber({ type, stateKey })
    if (key === undefined) return 0
    return (await this.entries())[key] ?? 0
  }

  /** n of the event at a key in any state of the room; 0 where there is none. */
  stateEntry(state: number, key: number): Promise<number> {
    return this.store.states(this.room, (rows) => lookUp(rows, state, key), this.pending.stateRows)
  }

  /** The current state event of that type and key. */
  async stateEvent(type: string, stateKey: string): Promise<LoadedEvent | undefined> {
    const n = this.#stateNumberAtHand(type, stateKey) ?? (await this.stateNumber(type, stateKey))
    return n === 0 ? undefined : (this.#eventAtHand(n) ?? this.event(n))
  }

  #stateNumberAtHand(type: string, stateKey: string): number | undefined {
    const key =
      this.pending.keys.get(`${type}\0${stateKey}`) ?? this.store.keyNumberAtHand(this.room, { type, stateKey })
    return key === undefined || this.#entries === undefined ? undefined : (this.#entries[key] ?? 0)
  }

  #eventAtHand(n: number): LoadedEvent | undefined {
    return this.pending.events.get(n) ?? this.store.eventAtHand(this.room, n)
  }

  /** An event of the room by n, one that is not durable yet too. */
  async event(n: number): Promise<LoadedEvent | undefined> {
    return this.#eventAtHand(n) ?? (await this.store.events(this.room, this, [n])).get(n)
  }

  /** The current state, as far as the rules look at these keys, and the events that are at them. */
  async authState(
    keys: readonly (readonly [string, string])[],
  ): Promise<AuthState & { readonly events: readonly LoadedEvent[] }> {
    const events: LoadedEvent[] = []
    const found = new Map<string, RoomEvent>()
    for (const [type, stateKey] of keys) {
      const event = await this.stateEvent(type, stateKey)
      if (event === undefined) continue
      events.push(event)
      found.set(`${type}\0${stateKey}`, event.event)
    }
    const levels = events.find(({ row }) => row.type === 'm.room.power_levels')?.powerLevels
    const create = found.get('m.room.create\0') ?? (await this.stateEvent('m.room.create', ''))?.event
    return { create, get: (type, stateKey) => found.get(`${type}\0${stateKey}`), powerLevels: levels, events }
  }

  /** About how many bytes it takes in memory, its entries included. */
  get bytes(): number {
    return 2_000 + (this.#entries?.byteLength ?? 0)
  }
}

/** Reads a room's forward extremities. */
export const readExtremities = async (
  row: RoomRow,
  home: EventHome,
  store: RoomStore,
): Promise<readonly Extremity[]> => {
  const events = await store.events(row.room, home, unpackNumbers(row.extremities))
  return [...events.values()].map((event) => ({
    n: event.n,
    eventId: event.row.eventId as EventId,
    depth: event.row.depth,
    stateAfter: event.row.stateAfter ?? 0,
  }))
}
