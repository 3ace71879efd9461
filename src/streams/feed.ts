import { LOG_KIND } from '#storage/change.ts'
import type { CommittedBatch, LoggedEntry } from '#storage/commit.ts'
import { DeviceListFeed } from './device-list-feed.ts'

/** Hears of everything that was committed, in the order of the log. */
export type Listener = (entries: readonly LoggedEntry[], upTo: number) => void

/**
 * What this process has applied of the log: its caches are true up to `applied`, and every answer is bounded by it. Also the last position
 * of each room since the process began, so that a sync need not ask the database which of many rooms changed.
 */
export class Feed {
  /** The log before this is known only to the database. */
  readonly startedAt: number
  /** What of it decides whose devices users are told of. */
  readonly deviceLists: DeviceListFeed
  readonly #listeners: Listener[] = []
  #applied: number
  #lastOfRoom = new Float64Array(1024)
  readonly #lastOfUser = new Map<number, number>()
  readonly #lastReceipt = new Map<number, number>()

  constructor(startedAt: number) {
    this.startedAt = startedAt
    this.deviceLists = new DeviceListFeed(startedAt)
    this.#applied = startedAt
  }

  /** Everything up to here is in the caches. */
  get applied(): number {
    return this.#applied
  }

  /** Takes note of a batch. The committer calls it before it answers; listeners hear of it after the answers went out. */
  apply({ entries, upTo }: CommittedBatch): void {
    this.deviceLists.committed(entries)
    for (const { kind, room, user, pos } of entries) {
      if (room !== undefined) this.#noteRoom(room, pos)
      if (room !== undefined && kind === LOG_KIND.receipt) this.#lastReceipt.set(room, pos)
      if (user !== undefined) this.#lastOfUser.set(user, pos)
    }
    this.#applied = upTo
    if (entries.length > 0) setImmediate(() => this.#tell(entries, upTo))
  }

  /** The last position of the room since the start; 0 for a room of which nothing was heard. */
  lastOfRoom(room: number): number {
    return this.#lastOfRoom[room] ?? 0
  }

  /** The position of the room's last receipt that all may see since the start; 0 if there was none. */
  lastReceipt(room: number): number {
    return this.#lastReceipt.get(room) ?? 0
  }

  /** The last position of the user's own things since the start; 0 if nothing was heard of them. */
  lastOfUser(user: number): number {
    return this.#lastOfUser.get(user) ?? 0
  }

  /** Calls `listener` for all that is committed from now on. */
  listen(listener: Listener): void {
    this.#listeners.push(listener)
  }

  #tell(entries: readonly LoggedEntry[], upTo: number): void {
    for (const listener of this.#listeners) listener(entries, upTo)
  }

  #noteRoom(room: number, pos: number): void {
    if (room >= this.#lastOfRoom.length) {
      const larger = new Float64Array(Math.max(room + 1, this.#lastOfRoom.length * 2))
      larger.set(this.#lastOfRoom)
      this.#lastOfRoom = larger
    }
    this.#lastOfRoom[room] = pos
  }
}
