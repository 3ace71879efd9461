import type { RoomId } from '#protocol/identifiers.ts'
import { roomVersion } from '#protocol/room-versions.ts'
import { emptyFingerprint, type Fingerprints } from '#storage/state-trie/fingerprint.ts'
import { membershipCounts } from '#storage/stores/memberships.ts'
import { type RoomRow, roomById, roomByNumber } from '#storage/stores/rooms.ts'
import { stateFingerprint } from '#storage/stores/states.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import { ActiveRoom, readExtremities } from './active-room.ts'
import type { RoomStore } from './room-store.ts'

type Deps = {
  readonly store: RoomStore
  readonly active: ByteCache<number, ActiveRoom>
  readonly fingerprints: Fingerprints
}

/** The rooms in memory. A room is one object, however many ask for it. */
export class RoomRegistry {
  readonly #deps: Deps
  readonly #numbers = new Map<string, number>()
  readonly #loading = new Map<number, Promise<ActiveRoom>>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  get store(): RoomStore {
    return this.#deps.store
  }

  /** The room of that ID, or `undefined` if this server does not know it. */
  async byId(roomId: string): Promise<ActiveRoom | undefined> {
    const number = this.#numbers.get(roomId)
    if (number !== undefined) return this.findByNumber(number)
    const row = await roomById(this.#deps.store.db, roomId)
    if (row === undefined) return undefined
    this.#numbers.set(roomId, row.room)
    return this.#deps.active.get(row.room) ?? this.#load(row.room, row)
  }

  /** The room of that number, which must exist. */
  async byNumber(room: number): Promise<ActiveRoom> {
    const active = await this.findByNumber(room)
    if (active === undefined) throw new Error(`there is no room ${room}`)
    return active
  }

  /** A room that was just made. */
  add(active: ActiveRoom): void {
    this.#numbers.set(active.roomId, active.room)
    this.#deps.active.set(active.room, active)
  }

  /** Forgets what was built on a room that turned out stale: the next who asks reads it anew. */
  drop(active: ActiveRoom): void {
    active.isDropped = true
    if (this.#deps.active.get(active.room) === active) this.#deps.active.delete(active.room)
  }

  /** Forgets that a room exists: it was purged. */
  forget(room: number, roomId: RoomId): void {
    this.#numbers.delete(roomId)
    const active = this.#deps.active.get(room)
    if (active !== undefined) this.drop(active)
  }

  /** The room of that number, or `undefined` if it was purged. */
  async findByNumber(room: number): Promise<ActiveRoom | undefined> {
    const active = this.#deps.active.get(room) ?? this.#loading.get(room)
    if (active !== undefined) return active
    const row = await roomByNumber(this.#deps.store.db, room)
    return row === undefined ? undefined : this.#load(room, row)
  }

  #load(room: number, row: RoomRow): Promise<ActiveRoom> {
    const known = this.#loading.get(room)
    if (known !== undefined) return known
    const loading = this.#read(row).finally(() => this.#loading.delete(room))
    this.#loading.set(room, loading)
    return loading
  }

  async #read(row: RoomRow): Promise<ActiveRoom> {
    const rules = roomVersion(row.version)
    if (rules === undefined) throw new Error(`room ${row.roomId} has the unknown version ${row.version}`)
    const { store, active, fingerprints } = this.#deps
    const fingerprint = (await stateFingerprint(store.db, row.room, row.currentState)) ?? emptyFingerprint()
    const extremities = await readExtremities(row, { roomId: row.roomId as RoomId, rules }, store)
    const room = new ActiveRoom({
      row,
      rules,
      extremities,
      fingerprint,
      fingerprints,
      joinedCount: (await membershipCounts(store.db, row.room)).get('join') ?? 0,
      store,
    })
    active.set(row.room, room)
    return room
  }
}
