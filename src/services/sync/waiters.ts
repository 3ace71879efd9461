import type { MembershipIndex } from '#rooms/membership-index.ts'
import { LOG_KIND } from '#storage/change.ts'
import type { LoggedEntry } from '#storage/commit.ts'
import type { MembershipName } from '#storage/stores/memberships.ts'
import type { Clock } from '#util/clock.ts'

/** A wait and the way to end it. */
export type Wait = { readonly ended: Promise<void>; readonly cancel: () => void }

/** What is not urgent gathers for this long, so that it wakes a device once. */
const GATHER_MS = 50
/** How many are woken before others get their turn. */
const SLICE = 25

type Deps = { readonly memberships: MembershipIndex; readonly clock: Clock }

/** The devices that wait for something to happen. A waiting device is one entry, whatever rooms it is in. */
export class Waiters {
  readonly #deps: Deps
  readonly #byUser = new Map<number, Set<Waiter>>()
  readonly #due: Waiter[] = []
  #isWaking = false
  #isClosed = false

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** How many wait. */
  get count(): number {
    let count = 0
    for (const waiters of this.#byUser.values()) count += waiters.size
    return count
  }

  /** A wait that ends when something happened that may concern the user, when the time is over or when it is cancelled. */
  wait(user: number, timeoutMs: number): Wait {
    const waiter = new Waiter(this, user)
    waiter.cancelTimer = this.#deps.clock.after(timeoutMs, () => waiter.cancel())
    const known = this.#byUser.get(user)
    if (known === undefined) this.#byUser.set(user, new Set([waiter]))
    else known.add(waiter)
    return waiter
  }

  /** Wakes those whom the entries concern: at once for events, gathered for the rest. */
  committed(entries: readonly LoggedEntry[]): void {
    if (this.#byUser.size === 0) return
    for (const { kind, room, user } of entries) {
      const isUrgent = kind !== LOG_KIND.receipt && kind !== LOG_KIND.deviceList
      if (kind === LOG_KIND.deviceList && user !== undefined) this.#wakeSharers(user)
      else {
        if (user !== undefined) this.#wakeUser(user, isUrgent)
        if (room !== undefined) this.wakeRoom(room, isUrgent)
      }
    }
  }

  /** Wakes the waiting members of a room, walking whichever are fewer: its members or the waiting. */
  wakeRoom(room: number, isUrgent: boolean): void {
    const members = this.#deps.memberships.peekRoom(room)
    if (members === undefined) {
      // Nobody who waits is known to be here or not to be: read it, and wake then.
      this.#deps.memberships.ofRoom(room).then(
        (read) => this.#wakeMembers(read, isUrgent),
        () => this.#wakeAll(),
      )
      return
    }
    this.#wakeMembers(members, isUrgent)
  }

  #wakeMembers(members: ReadonlyMap<number, MembershipName>, isUrgent: boolean): void {
    if (members.size <= this.#byUser.size) {
      for (const [user, membership] of members) if (membership === 'join') this.#wakeUser(user, isUrgent)
    } else {
      for (const user of this.#byUser.keys()) if (members.get(user) === 'join') this.#wakeUser(user, isUrgent)
    }
  }

  /** Nobody is to wait any more: the server ends. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Wakes everybody, to be answered before the server ends; nobody waits from now on. */
  close(): void {
    this.#isClosed = true
    this.#wakeAll()
  }

  /** A user's devices changed: whoever shares a room with them hears of it. */
  #wakeSharers(user: number): void {
    this.#wakeUser(user, false)
    this.#deps.memberships.ofUser(user).then(
      (rooms) => {
        for (const { room, membership } of rooms.values()) if (membership === 'join') this.wakeRoom(room, false)
      },
      () => this.#wakeAll(),
    )
  }

  #wakeAll(): void {
    for (const user of this.#byUser.keys()) this.#wakeUser(user, true)
  }

  #wakeUser(user: number, isUrgent: boolean): void {
    const waiters = this.#byUser.get(user)
    if (waiters === undefined) return
    for (const waiter of waiters) {
      if (isUrgent) this.#wake(waiter)
      else if (!waiter.isGathering) {
        waiter.isGathering = true
        this.#deps.clock.after(GATHER_MS, () => this.#wake(waiter))
      }
    }
  }

  #wake(waiter: Waiter): void {
    this.remove(waiter)
    this.#due.push(waiter)
    if (this.#isWaking) return
    this.#isWaking = true
    this.#wakeSlice()
  }

  #wakeSlice(): void {
    for (const waiter of this.#due.splice(0, SLICE)) waiter.cancel()
    if (this.#due.length === 0) this.#isWaking = false
    else setImmediate(() => this.#wakeSlice())
  }

  /** For waits: this one is over. */
  remove(waiter: Waiter): void {
    const waiters = this.#byUser.get(waiter.user)
    if (waiters?.delete(waiter) === true && waiters.size === 0) this.#byUser.delete(waiter.user)
  }
}

/** One that waits. A class, as thousands do at once. */
class Waiter implements Wait {
  readonly user: number
  readonly ended: Promise<void>
  isGathering = false
  cancelTimer = () => {}
  readonly #waiters: Waiters
  readonly #resolve: () => void

  constructor(waiters: Waiters, user: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.user = user
    this.ended = promise
    this.#waiters = waiters
    this.#resolve = resolve
  }

  cancel(): void {
    this.#waiters.remove(this)
    this.cancelTimer()
    this.#resolve()
  }
}
