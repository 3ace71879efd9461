import type { Reader } from '#storage/database.ts'
import { numberInRoom, roomKey } from '#storage/room-key.ts'
import { complete, type Missing, type StateRows } from '#storage/state-trie/rows.ts'
import { eventsByNumber, type StoredEvent } from '#storage/stores/events.ts'
import { stateKeysByName, stateKeysByNumber, stateRows } from '#storage/stores/states.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import { type EventHome, LoadedEvent } from './loaded-event.ts'

/** The name of a state key number. */
export type StateKeyName = { readonly type: string; readonly stateKey: string }

type Deps = {
  readonly db: Reader
  readonly caches: {
    readonly events: ByteCache<number, LoadedEvent>
    readonly stateRows: ByteCache<number, Uint8Array>
    readonly keyNumbers: ByteCache<string, number>
    readonly keyNames: ByteCache<number, StateKeyName>
  }
}

/** So many redactions are remembered: many more than happen while something is read. */
const MAX_REDACTIONS = 10_000

/** What is durable of rooms' events and states, read through the caches of the memory budget. Nothing uncommitted may enter it. */
export class RoomStore {
  readonly #deps: Deps
  /** By which events others were redacted of late, oldest first. */
  readonly #redactions = new Map<number, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  get db(): Reader {
    return this.#deps.db
  }

  /** Keeps an event that is durable. */
  keepEvent(event: LoadedEvent): void {
    this.#deps.caches.events.set(event.row.event, event)
  }

  /** Forgets an event whose row changed. */
  forgetEvent(room: number, n: number): void {
    this.#deps.caches.events.delete(roomKey(room, n))
  }

  /** A redaction took effect on an event, also on what is being read of it right now. */
  redacted(room: number, n: number, redactedBy: number): void {
    this.forgetEvent(room, n)
    this.#redactions.set(roomKey(room, n), redactedBy)
    const [oldest] = this.#redactions.keys()
    if (this.#redactions.size > MAX_REDACTIONS && oldest !== undefined) this.#redactions.delete(oldest)
  }

  keepStateRow(room: number, state: number, nodes: Uint8Array): void {
    this.#deps.caches.stateRows.set(roomKey(room, state), nodes)
  }

  keepStateKey(room: number, n: number, name: StateKeyName): void {
    this.#deps.caches.keyNumbers.set(nameKey(room, name), n)
    this.#deps.caches.keyNames.set(roomKey(room, n), name)
  }

  /** The event if it is in memory. */
  eventAtHand(room: number, n: number): LoadedEvent | undefined {
    return this.#deps.caches.events.get(roomKey(room, n))
  }

  /** Events of a room by n. Numbers that are no events are left out. */
  async events(room: number, home: EventHome, ns: Iterable<number>): Promise<Map<number, LoadedEvent>> {
    const found = new Map<number, LoadedEvent>()
    const missing: number[] = []
    for (const n of ns) {
      const known = this.#deps.caches.events.get(roomKey(room, n))
      if (known === undefined) missing.push(roomKey(room, n))
      else found.set(n, known)
    }
    if (missing.length > 0) {
      for (const row of await eventsByNumber(this.#deps.db, missing)) {
        const event = this.loaded(row, home)
        found.set(event.n, event)
      }
    }
    return found
  }

  /** The event of a row that was read: the one in memory, or a new one that is kept. */
  loaded(row: StoredEvent, home: EventHome): LoadedEvent {
    const known = this.#deps.caches.events.get(row.event)
    const redactedBy = row.redactedBy ?? this.#redactions.get(row.event)
    if (known !== undefined && known.row.redactedBy === redactedBy) return known
    const event = new LoadedEvent(row.redactedBy === redactedBy ? row : { ...row, redactedBy, unreadBits: 0 }, home)
    this.keepEvent(event)
    return event
  }

  /** Carries out an operation on states, reading the rows it misses. `pending` has rows that are not durable yet. */
  states<T>(
    room: number,
    operation: (rows: StateRows) => T | Missing,
    pending?: ReadonlyMap<number, Uint8Array>,
  ): Promise<T> {
    const cache = this.#deps.caches.stateRows
    const atHand = {
      room,
      row: (state: number) => pending?.get(state) ?? cache.get(roomKey(room, state)),
    }
    return complete(
      atHand,
      async (missing) => {
        const rows = await stateRows(this.#deps.db, room, missing)
        for (const [state, nodes] of rows) this.keepStateRow(room, state, nodes)
        return rows
      },
      operation,
    )
  }

  /** The number of a state key if it is in memory. */
  keyNumberAtHand(room: number, name: StateKeyName): number | undefined {
    return this.#deps.caches.keyNumbers.get(nameKey(room, name))
  }

  /** The numbers of state keys by their names; `undefined` for those the room does not know. */
  async keyNumber(room: number, name: StateKeyName): Promise<number | undefined> {
    const known = this.keyNumberAtHand(room, name)
    if (known !== undefined) return known
    const { type, stateKey } = name
    const [found] = await stateKeysByName(this.#deps.db, room, { type, stateKeys: [stateKey] })
    if (found === undefined) return undefined
    const n = numberInRoom(found.key)
    this.keepStateKey(room, n, name)
    return n
  }

  /** The names of state key numbers. */
  async keyNames(room: number, ns: Iterable<number>): Promise<Map<number, StateKeyName>> {
    const names = new Map<number, StateKeyName>()
    const missing: number[] = []
    for (const n of ns) {
      const known = this.#deps.caches.keyNames.get(roomKey(room, n))
      if (known === undefined) missing.push(n)
      else names.set(n, known)
    }
    if (missing.length > 0) {
      for (const { key, type, stateKey } of await stateKeysByNumber(this.#deps.db, room, missing)) {
        const n = numberInRoom(key)
        const name = { type, stateKey }
        this.keepStateKey(room, n, name)
        names.set(n, name)
      }
    }
    return names
  }
}

const nameKey = (room: number, { type, stateKey }: StateKeyName): string => `${room}\0${type}\0${stateKey}`
