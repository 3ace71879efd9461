import type { Requester } from '#api/requester.ts'
import { invalidParam, notFound } from '#protocol/errors.ts'
import type { EventId, RoomId } from '#protocol/identifiers.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { UnreadCounts } from '#services/push/unread-counts.ts'
import type { JoinedRooms } from '#services/rooms/joined-rooms.ts'
import { type AccountData, FULLY_READ } from '#services/user-data/account-data.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { type EventRow, eventOfRoom, eventRowsOfRoom } from '#storage/stores/events.ts'
import {
  isLater,
  type ReadPlace,
  type ReceiptType,
  receiptMoved,
  receiptOf,
  UNTHREADED,
} from '#storage/stores/receipts.ts'
import { unreadMarksPassed } from '#storage/stores/unread.ts'
import type { Clock } from '#util/clock.ts'
import { getString } from '#util/json.ts'
import { isOfThread } from './receipt-thread.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly joinedRooms: JoinedRooms
  readonly accountData: AccountData
  readonly unreadCounts: UnreadCounts
}

/** How far a user has read, as a client says it. */
export type SentReceipt = {
  readonly roomId: RoomId
  readonly type: ReceiptType | typeof FULLY_READ
  readonly eventId: EventId
  /** `main`, the root of a thread, or `undefined` for the whole room. */
  readonly threadId: string | undefined
}

/** What a client marks as read at once; what is absent stays. */
export type SentMarkers = {
  readonly roomId: RoomId
  readonly fullyRead: EventId | undefined
  readonly read: EventId | undefined
  readonly privatelyRead: EventId | undefined
}

/** Receipts and markers of what users have read. They never move back. https://spec.matrix.org/v1.19/client-server-api/#receipts */
export class Receipts {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Moves a receipt forward. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid */
  async send(requester: Requester, { roomId, type, eventId, threadId }: SentReceipt): Promise<void> {
    if (type === FULLY_READ && threadId !== undefined) {
      throw invalidParam(`'thread_id' is not for receipts of type ${FULLY_READ}`)
    }
    const view = await this.#deps.joinedRooms.enter(requester, roomId)
    const [event] = await this.#events(view, [eventId])
    if (event === undefined) throw noSuchEvent()
    if (threadId !== undefined) await this.#mustBeOfThread(view, event, threadId)
    if (type === FULLY_READ) await this.#moveMarker(requester, view, event)
    else await this.#moveReceipts(requester, view, [{ type, event, thread: threadId ?? UNTHREADED }])
  }

  /** Moves the marker of what is fully read, and receipts for the whole room with it. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers */
  async mark(requester: Requester, { roomId, fullyRead, read, privatelyRead }: SentMarkers): Promise<void> {
    const view = await this.#deps.joinedRooms.enter(requester, roomId)
    const wanted = new Set([fullyRead, read, privatelyRead].filter((one) => one !== undefined))
    const events = new Map((await this.#events(view, wanted)).map((event) => [event.eventId, event]))
    if (events.size < wanted.size) throw noSuchEvent()
    const moves = [moveOf('m.read', read, events), moveOf('m.read.private', privatelyRead, events)].flat()
    const marked = fullyRead === undefined ? undefined : events.get(fullyRead)
    await Promise.all([
      this.#moveReceipts(requester, view, moves),
      marked === undefined ? undefined : this.#moveMarker(requester, view, marked),
    ])
  }

  async #moveReceipts(requester: Requester, { room }: RoomView, moves: readonly Move[]): Promise<void> {
    const { db, clock, commit, unreadCounts } = this.#deps
    const { user } = requester
    const change = new Change()
    for (const { type, event, thread } of moves) {
      const place = placeOf(event)
      const current = await receiptOf(db, { room, user, type, thread })
      if (current !== undefined && !isLater(place, current)) continue
      const pos = change.log(
        type === 'm.read' ? { kind: LOG_KIND.receipt, room } : { kind: LOG_KIND.receipt, user, item: room },
      )
      const { eventId } = event
      change.write(receiptMoved, { room, user, type, thread, eventId, ...place, ts: clock.now(), pos })
      change.write(unreadMarksPassed, { user, room, thread, upTo: place.eventPos })
    }
    if (change.operations.length === 0) return
    await commit(change.onCommitted(() => unreadCounts.forget(user, room)))
  }

  async #moveMarker(requester: Requester, view: RoomView, event: EventRow): Promise<void> {
    const key = { user: requester.user, room: view.room, type: FULLY_READ }
    await this.#deps.accountData.update(key, async (content) => {
      const marked = getString(content, 'event_id')
      const [current] = marked === undefined ? [] : await this.#events(view, [marked])
      if (current !== undefined && !isLater(placeOf(event), placeOf(current))) return undefined
      return { event_id: event.eventId }
    })
  }

  /** Those of the events that clients can have seen in the room. */
  async #events(view: RoomView, eventIds: Iterable<string>): Promise<EventRow[]> {
    const rows = await eventRowsOfRoom(this.#deps.db, view.room, eventIds)
    return rows.filter(
      ({ isOutlier, rejectedBy, isSoftFailed }) => !isOutlier && rejectedBy === undefined && !isSoftFailed,
    )
  }

  async #mustBeOfThread(view: RoomView, { eventId }: EventRow, threadId: string): Promise<void> {
    const stored = await eventOfRoom(this.#deps.db, view.room, eventId)
    if (stored === undefined) throw noSuchEvent()
    if (!(await isOfThread(view, view.store.loaded(stored, view), threadId))) {
      throw invalidParam("The event does not belong to the thread of 'thread_id'")
    }
  }
}

type Move = { readonly type: ReceiptType; readonly event: EventRow; readonly thread: string }

const moveOf = (
  type: ReceiptType,
  eventId: EventId | undefined,
  events: ReadonlyMap<string, EventRow>,
): readonly Move[] => {
  const event = eventId === undefined ? undefined : events.get(eventId)
  return event === undefined ? [] : [{ type, event, thread: UNTHREADED }]
}

/** What was fetched as history comes before all that arrived, whenever it was fetched. */
const placeOf = ({ pos, depth, isBackfilled }: EventRow): ReadPlace => ({
  eventPos: isBackfilled ? 0 : (pos ?? 0),
  eventDepth: depth,
})

const noSuchEvent = () => notFound('There is no such event in this room')
