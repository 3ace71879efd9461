import type { Users } from '#services/accounts/users.ts'
import { hasOwn, type RoomContext, type SyncContext } from '#services/sync/sections.ts'
import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import {
  type ReceiptRow,
  receiptsMoved,
  receiptsOfRooms,
  receiptsOfUser,
  UNTHREADED,
} from '#storage/stores/receipts.ts'
import type { Feed } from '#streams/feed.ts'

type Deps = { readonly db: Reader; readonly users: Users; readonly feed: Feed }

/** How many receipts of a room an answer has, the last ones that moved, besides the user's own. */
const MAX_RECEIPTS = 1_000

/**
 * The receipts of a room that moved, each thread in an event of its own: a user may have read the same event in several ways. Private ones are
 * told only to those whose they are. https://spec.matrix.org/v1.19/client-server-api/#mreceipt
 */
export const receiptSection =
  ({ db, users, feed }: Deps) =>
  (context: RoomContext): readonly string[] | Promise<readonly string[]> => {
    const { roomId } = context.view
    if (!mayHaveMoved(context, feed) || !context.filter.ephemeral({ type: 'm.receipt', roomId })) return []
    return printMoved(context, { db, users })
  }

async function printMoved(context: RoomContext, { db, users }: Pick<Deps, 'db' | 'users'>): Promise<readonly string[]> {
  const { view, requester, roomSince, upTo, ignored } = context
  const { room } = view
  const viewer = requester.user
  const moved =
    context.readAhead?.receipts.get(room) ??
    (await receiptsMoved(db, { room, viewer, since: roomSince, upTo, limit: MAX_RECEIPTS }))
  const rows = moved.length < MAX_RECEIPTS ? moved : [...moved, ...(await ownAmong(db, context))]
  const shown = rows.filter(({ user }) => !ignored.has(user))
  if (shown.length === 0) return []
  const names = await users.byNumbers(new Set(shown.map(({ user }) => user)))
  const threads = new Map<string, ReceiptContent>()
  for (const row of shown) {
    const userId = names.get(row.user)?.userId
    if (userId === undefined) continue
    const content = threads.get(row.thread) ?? new Map()
    threads.set(row.thread, content)
    add(content, row, userId)
  }
  return [...threads.values()].map(printReceipts)
}

/** Reads the receipts of whole rooms for `receiptSection`. */
export const readReceipts = async (
  db: Reader,
  { requester, upTo }: SyncContext,
  rooms: readonly number[],
): Promise<ReadonlyMap<number, readonly ReceiptRow[]>> => {
  const byRoom = new Map(rooms.map((room) => [room, [] as ReceiptRow[]]))
  const rows = await receiptsOfRooms(db, rooms, { viewer: requester.user, upTo, limit: MAX_RECEIPTS })
  for (const row of rows) byRoom.get(row.room)?.push(row)
  return byRoom
}

/** False if no receipt of the room moved that the requester may see. */
const mayHaveMoved = (context: RoomContext, feed: Feed): boolean =>
  context.roomSince < feed.startedAt ||
  feed.lastReceipt(context.view.room) > context.roomSince ||
  hasOwn(context, LOG_KIND.receipt)

/** A client must know its own receipts, however long ago they moved. */
async function ownAmong(db: Reader, { view, requester, roomSince, upTo }: RoomContext): Promise<ReceiptRow[]> {
  const own = await receiptsOfUser(db, { room: view.room, user: requester.user, limit: MAX_RECEIPTS })
  return own.filter(({ pos }) => pos > roomSince && pos <= upTo)
}

/** By event, kind and user. */
type ReceiptContent = Map<string, Map<string, Map<string, Readonly<Record<string, unknown>>>>>

function add(content: ReceiptContent, { eventId, type, thread, ts }: ReceiptRow, userId: string): void {
  const ofEvent = content.get(eventId) ?? new Map()
  content.set(eventId, ofEvent)
  const ofType = ofEvent.get(type) ?? new Map()
  ofEvent.set(type, ofType)
  ofType.set(userId, thread === UNTHREADED ? { ts } : { ts, thread_id: thread })
}

const printReceipts = (content: ReceiptContent): string => {
  const events = [...content].map(([eventId, types]) => [
    eventId,
    Object.fromEntries([...types].map(([type, users]) => [type, Object.fromEntries(users)])),
  ])
  return JSON.stringify({ type: 'm.receipt', content: Object.fromEntries(events) })
}
