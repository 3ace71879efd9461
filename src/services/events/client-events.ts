import type { Requester } from '#api/requester.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { SeenEvent, Viewer } from '#services/sync/visibility.ts'
import type { Reader } from '#storage/database.ts'
import { numberInRoom } from '#storage/room-key.ts'
import { transactionsOfEvents } from '#storage/stores/transactions.ts'
import type { Bundles } from './bundles.ts'

/** For whom events are printed. */
export type Audience = {
  readonly requester: Pick<Requester, 'user' | 'userId' | 'deviceId'>
  /** Milliseconds since 1970, for the age. */
  readonly now: number
  /** With `room_id`, as everywhere but in sync. */
  readonly withRoomId: boolean
  /** As other servers have it, with `event_id` and `unsigned`. https://spec.matrix.org/v1.19/client-server-api/#filtering */
  readonly isForServers?: boolean
  /** Numbers of the users whom the viewer ignores. */
  readonly ignored: ReadonlySet<number>
  readonly viewer: Viewer
  /** What came after this position, also of what it says of earlier events, is not for them. */
  readonly upTo: number
}

/**
 * Prints events in the format for clients, each with its own `unsigned`: age, the viewer's membership, what a state event replaced, who
 * redacted it, the viewer's own transaction ID, and what later events say of it.
 * https://spec.matrix.org/v1.19/client-server-api/#definition-clientevent
 */
export const printEvents = async (
  view: RoomView,
  seen: readonly SeenEvent[],
  audience: Audience,
  { db, bundles }: { readonly db: Reader; readonly bundles: Bundles },
): Promise<string[]> => {
  await findTransactions(seen, audience, db)
  const bundled = await bundles.of(view, seen, audience)
  const printed: string[] = []
  for (const one of seen) {
    const { event } = one
    // Most have neither; nothing is waited for where there is nothing to read.
    const before = event.row.stateKey === undefined ? '' : await replacedState(view, event)
    const redaction = event.row.redactedBy === undefined ? '' : await redactionOf(view, event.row.redactedBy, audience)
    const relations = bundled.get(event.n)
    const more = `${before}${redaction}${relations === undefined ? '' : `,"m.relations":${relations}`}`
    printed.push(printSeen(view, one, { audience, more }))
  }
  return printed
}

/** Prints an event for a viewer. `more`: further fields of `unsigned`, each after a comma. */
export const printSeen = (
  view: RoomView,
  { event, membership }: SeenEvent,
  {
    audience,
    more,
  }: { readonly audience: Pick<Audience, 'requester' | 'now' | 'withRoomId' | 'isForServers'>; readonly more: string },
): string => {
  const { requester, now, withRoomId, isForServers } = audience
  const age = Math.max(0, now - event.row.originServerTs)
  const { transaction } = event
  const own =
    transaction?.user === requester.user && transaction.deviceId === requester.deviceId
      ? `,"transaction_id":${JSON.stringify(transaction.txnId)}`
      : ''
  const fields = `${age},"membership":${JSON.stringify(membership)}${more}${own}}`
  if (isForServers === true) {
    const eventId = view.rules.eventId === 'opaque' ? '' : `,"event_id":${JSON.stringify(event.row.eventId)}`
    return `${event.json.slice(0, -1)}${eventId},"unsigned":{"age":${fields}}`
  }
  if (!withRoomId) return `${event.opening}${fields}}`
  return printEvent(view, event, { unsigned: `{"age":${fields}`, withRoomId })
}

/** Puts an event's pieces together. */
export const printEvent = (
  view: RoomView,
  event: LoadedEvent,
  { unsigned, withRoomId }: { readonly unsigned: string | undefined; readonly withRoomId: boolean },
): string => {
  const { head, tail } = event.pieces
  const roomId = withRoomId ? `,"room_id":${JSON.stringify(view.roomId)}` : ''
  return `{${head}${roomId},${tail}${unsigned === undefined ? '' : `,"unsigned":${unsigned}`}}`
}

/** Who redacted the event, if that had happened by then. */
async function redactionOf(view: RoomView, redactedBy: number, { upTo }: Audience): Promise<string> {
  const redaction = await view.event(numberInRoom(redactedBy))
  if (redaction === undefined || (redaction.row.pos ?? 0) > upTo) return ''
  return `,"redacted_because":${printEvent(view, redaction, { unsigned: undefined, withRoomId: true })}`
}

/** What a state event took the place of. The same for all viewers, until a redaction changes what is shown of it. */
async function replacedState(view: RoomView, event: LoadedEvent): Promise<string> {
  const { epoch } = view
  if (event.replaced?.epoch !== epoch) event.replaced = { fields: await readReplaced(view, event), epoch }
  return event.replaced.fields
}

async function readReplaced(view: RoomView, { row }: LoadedEvent): Promise<string> {
  const before = row.stateBefore ?? 0
  const n = before === 0 || row.stateKey === undefined ? 0 : await view.stateEntry(before, row.stateKey)
  const replaced = n === 0 ? undefined : await view.event(n)
  if (replaced === undefined) return ''
  const content = JSON.stringify(replaced.content)
  const eventId = JSON.stringify(replaced.row.eventId)
  const sender = JSON.stringify(replaced.event.sender)
  return `,"prev_content":${content},"replaces_state":${eventId},"prev_sender":${sender}`
}

/** Learns by which transactions the viewer sent those of the events that are theirs. */
async function findTransactions(seen: readonly SeenEvent[], { requester }: Audience, db: Reader): Promise<void> {
  const own = seen.filter(({ event }) => event.row.sender === requester.user && event.transaction === undefined)
  if (own.length === 0) return
  const found = await transactionsOfEvents(
    db,
    requester.user,
    own.map(({ event }) => event.row.event),
  )
  const byEvent = new Map(found.map((row) => [row.event, row]))
  for (const { event } of own) {
    const row = byEvent.get(event.row.event)
    event.transaction = row === undefined ? null : { user: requester.user, deviceId: row.deviceId, txnId: row.txnId }
  }
}
