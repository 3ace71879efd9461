import { forbidden, unknown } from '#protocol/errors.ts'
import type { EventId, RoomId, UserId } from '#protocol/identifiers.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import { appendEvent } from '#rooms/append.ts'
import { appendAside } from '#rooms/append-aside.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import { moveRoom } from '#rooms/move-room.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Users } from '#services/accounts/users.ts'
import { Change, type Outcome } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Clock } from '#util/clock.ts'
import { createEvent, type Draft, type Origin } from './create-event.ts'
import { judgeContent } from './judge-content.ts'
import { type TransactionScope, type Transactions, TransactionTaken } from './transactions.ts'

/** What an event means to those who are to be told of it, judged before it is written. */
export type Judgement = {
  readonly unreadBits: number
  readonly thread: string | undefined
  /** Adds the rows of members for whom it means something else. */
  readonly write: (change: Change, event: LoadedEvent) => void
}
/** Judges an event by the push rules of the room's members. */
export type Judge = (room: ActiveRoom, event: LoadedEvent['event'], sender: number) => Promise<Judgement>

type Deps = {
  readonly rooms: RoomRegistry
  readonly memberships: MembershipIndex
  readonly views: RoomViews
  readonly users: Users
  readonly commit: Commit
  readonly clock: Clock
  readonly origin: Origin
  readonly transactions: Transactions
  readonly judge: Judge
}

/** One event to be sent to a room. */
export type Send = Draft & { readonly senderNumber: number }

/** How often a change is built again because the room moved under it. */
const ATTEMPTS = 5

/** Sends events of local users. */
export class EventSender {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Where transactions are written with what they bring about. */
  get transactions(): Transactions {
    return this.#deps.transactions
  }

  /** Has the effect of `act`, which must write the transaction, once for each transaction; without one, each time. */
  once(transaction: TransactionScope | undefined, act: () => Promise<EventId>): Promise<EventId> {
    return transaction === undefined ? act() : this.#deps.transactions.once(transaction, act)
  }

  /** Builds on the room's head under its queue, commits, and builds again if the room was written by another one meanwhile. */
  async change<T>(roomId: RoomId, build: (room: ActiveRoom, change: Change) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const room = await this.#deps.rooms.byId(roomId)
      if (room === undefined) throw forbidden('You are not in this room')
      const built = await room.queue.run(() => this.#build(room, build))
      if (built === undefined) continue
      const outcome = await this.#committed(room, built.commit)
      if (outcome.ok) return built.value
      this.#deps.rooms.drop(room)
      if (outcome.refusedBy === 'transaction_new') throw new TransactionTaken()
      if (attempt === ATTEMPTS) throw unknown('The room is written to by too many at once. Try again.', { status: 503 })
    }
  }

  /** Appends an event to the head, judged and with its rows. The caller holds the queue. */
  async append(room: ActiveRoom, change: Change, send: Send): Promise<LoadedEvent> {
    const { clock, origin, users, memberships, views, judge } = this.#deps
    judgeContent(send, { rules: room.rules, serverName: origin.serverName })
    const now = clock.now()
    const target =
      send.type === 'm.room.member' && send.stateKey !== undefined
        ? await users.number(send.stateKey as UserId)
        : undefined
    const created = await createEvent(room, send, origin, now)
    const judgement = await judge(room, created.event, send.senderNumber)
    const appended = await appendEvent(
      room,
      change,
      {
        ...created,
        sender: send.senderNumber,
        target,
        receivedTs: now,
        thread: judgement.thread,
        unreadBits: judgement.unreadBits,
      },
      { memberships, views },
    )
    judgement.write(change, appended)
    return appended
  }

  /** Keeps an event that could be sent, for nobody to see. The caller holds the queue. */
  async appendAside(room: ActiveRoom, change: Change, send: Send): Promise<LoadedEvent> {
    const { clock, origin } = this.#deps
    judgeContent(send, { rules: room.rules, serverName: origin.serverName })
    const now = clock.now()
    const created = await createEvent(room, send, origin, now)
    return appendAside(room, change, {
      ...created,
      sender: send.senderNumber,
      target: undefined,
      receivedTs: now,
      thread: undefined,
      unreadBits: 0,
    })
  }

  async #build<T>(
    room: ActiveRoom,
    build: (room: ActiveRoom, change: Change) => Promise<T>,
  ): Promise<{ readonly value: T; readonly commit: Promise<Outcome> } | undefined> {
    if (room.isDropped) return undefined
    const change = new Change({ lane: room.room })
    const head = room.head
    try {
      const value = await build(room, change)
      if (change.operations.length === 0) return { value, commit: Promise.resolve(nothingToDo) }
      moveRoom(room, change)
      return { value, commit: this.#deps.commit(change) }
    } catch (error) {
      // What was refused before anything was appended leaves the room as it was; else it is read again.
      if (room.head !== head) this.#deps.rooms.drop(room)
      throw error
    }
  }

  async #committed(room: ActiveRoom, commit: Promise<Outcome>): Promise<Outcome> {
    try {
      return await commit
    } catch (error) {
      this.#deps.rooms.drop(room)
      throw error
    }
  }
}

const nothingToDo: Outcome = { ok: true, firstPosition: 0, returned: () => [] }
