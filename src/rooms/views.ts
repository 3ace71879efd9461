import type { RoomId } from '#protocol/identifiers.ts'
import { roomVersion } from '#protocol/room-versions.ts'
import { LOG_KIND } from '#storage/change.ts'
import type { CommittedBatch } from '#storage/commit.ts'
import { numberInRoom } from '#storage/room-key.ts'
import { type RoomRow, roomById, roomByNumber } from '#storage/stores/rooms.ts'
import type { Feed } from '#streams/feed.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import type { RoomStore } from './room-store.ts'
import { RoomView } from './room-view.ts'

type Deps = { readonly store: RoomStore; readonly feed: Feed; readonly cache: ByteCache<number, RoomView> }

/** The rooms that somebody reads. */
export class RoomViews {
  readonly #deps: Deps
  readonly #numbers = new Map<string, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The room of that ID, or `undefined` if this server does not know it. */
  async byId(roomId: string): Promise<RoomView | undefined> {
    const number = this.#numbers.get(roomId)
    if (number !== undefined) return this.findByNumber(number)
    const row = await roomById(this.#deps.store.db, roomId)
    if (row === undefined) return undefined
    if (this.#numbers.size > 200_000) this.#numbers.clear()
    this.#numbers.set(roomId, row.room)
    return this.#deps.cache.get(row.room) ?? this.#make(row)
  }

  /** The room of that number, which must exist. */
  async byNumber(room: number): Promise<RoomView> {
    const view = await this.findByNumber(room)
    if (view === undefined) throw new Error(`there is no room ${room}`)
    return view
  }

  /** The room of that number, or `undefined` if it was purged. */
  async findByNumber(room: number): Promise<RoomView | undefined> {
    const known = this.#deps.cache.get(room)
    if (known !== undefined) return known
    const row = await roomByNumber(this.#deps.store.db, room)
    return row === undefined ? undefined : (this.#deps.cache.get(room) ?? this.#make(row))
  }

  /** The room if somebody reads it now. */
  atHand(room: number): RoomView | undefined {
    return this.#deps.cache.get(room)
  }

  /** Takes note of a batch, before the feed applies it. */
  committed({ entries }: CommittedBatch): void {
    for (const { kind, room, item, pos } of entries) {
      if (kind === LOG_KIND.event && room !== undefined && item !== undefined) {
        this.#deps.cache.get(room)?.arrived(pos, numberInRoom(item))
      }
    }
  }

  /** The current state of a room is another one from that position on. */
  stateMoved(room: number, pos: number, state: number): void {
    this.#deps.cache.get(room)?.stateMoved(pos, state)
  }

  /** A redaction took effect on an event of the room. */
  redacted(room: number): void {
    const view = this.#deps.cache.get(room)
    if (view !== undefined) view.countedEpoch = {}
  }

  /** Forgets a room: it is purged, or its views are no longer true. */
  forget(room: number, roomId: string): void {
    this.#numbers.delete(roomId)
    this.#deps.cache.delete(room)
  }

  #make(row: RoomRow): RoomView {
    const rules = roomVersion(row.version)
    if (rules === undefined) throw new Error(`room ${row.roomId} has the unknown version ${row.version}`)
    const { store, feed, cache } = this.#deps
    const view = new RoomView({ room: row.room, roomId: row.roomId as RoomId, rules, store, from: feed.applied })
    cache.set(row.room, view)
    return view
  }
}
