import type { RoomEvent } from '#protocol/events/pdu.ts'
import { readRelation } from '#protocol/relations.ts'
import { type Change, LOG_KIND } from '#storage/change.ts'
import { roomKey } from '#storage/room-key.ts'
import { setMany } from '#storage/state-trie/set.ts'
import { writeState } from '#storage/state-trie/write.ts'
import { type EventRow, eventAdded, eventJsonAdded, redactionAdded, relationAdded } from '#storage/stores/events.ts'
import { type MembershipName, membershipChanged, membershipRenewed } from '#storage/stores/memberships.ts'
import { currentStateAdded, stateKeyAdded } from '#storage/stores/states.ts'
import { getString } from '#util/json.ts'
import { packNumbers } from '#util/varint.ts'
import type { ActiveRoom } from './active-room.ts'
import { LoadedEvent } from './loaded-event.ts'
import type { MembershipIndex } from './membership-index.ts'
import type { RoomViews } from './views.ts'

/** An event that was built on the room's head and allowed, with what else its row says. */
export type NewEvent = {
  readonly event: RoomEvent
  /** Its JSON, as it is stored and sent. */
  readonly json: string
  /** The sender's number. */
  readonly sender: number
  /** For membership events: whose membership it is. */
  readonly target: { readonly user: number; readonly isLocal: boolean } | undefined
  /** n of its auth events. */
  readonly authEvents: readonly number[]
  readonly receivedTs: number
  /** Event ID of the root of the thread it belongs to. */
  readonly thread: string | undefined
  readonly unreadBits: number
}

/** What appending needs besides the room. */
export type AppendDeps = { readonly memberships: MembershipIndex; readonly views: RoomViews }

/**
 * Puts an event at the end of the room: its rows, the state after it, the membership it changes, its entry in the log. The caller holds the
 * room's queue and ends the change with `moveRoom`.
 */
export const appendEvent = async (
  room: ActiveRoom,
  change: Change,
  added: NewEvent,
  deps: AppendDeps,
): Promise<LoadedEvent> => {
  const { event } = added
  const { head } = room
  const n = head.nextEvent
  const before = head.currentState
  room.head = { ...head, nextEvent: n + 1 }
  const entry = change.log({ kind: LOG_KIND.event, room: room.room, item: roomKey(room.room, n) })
  const key = event.stateKey === undefined ? undefined : await setState(room, change, { event, n, entry }, deps)
  const row: EventRow = {
    ...rowOnHead({ room: room.room, head }, added),
    pos: entry,
    stateKey: key,
    stateAfter: room.head.currentState,
  }
  const loaded = writeEvent(room, change, row, added)
  writeReferences(room, change, { event, row })
  if (event.type === 'm.room.member' && added.target !== undefined) {
    await changeMembership(room, change, { event, row, target: added.target, entry, before }, deps)
  }
  room.pending.events.set(n, loaded)
  change.onCommitted((first) => {
    loaded.row = { ...loaded.row, pos: first + entry }
    room.pending.events.delete(n)
    room.store.keepEvent(loaded)
  })
  room.head = {
    ...room.head,
    extremities: [{ n, eventId: event.eventId, depth: event.depth, stateAfter: room.head.currentState }],
  }
  return loaded
}

/** The event's row and its JSON. */
export const writeEvent = (
  room: ActiveRoom,
  change: Change,
  row: EventRow,
  { event, json }: Pick<NewEvent, 'event' | 'json'>,
): LoadedEvent => {
  change.write(eventAdded, row).write(eventJsonAdded, { event: row.event, json })
  return new LoadedEvent({ ...row, json }, room, event)
}

/** What the row of an event says that was built on this head, unless more is known. */
export const rowOnHead = (
  { room, head }: { readonly room: number; readonly head: ActiveRoom['head'] },
  { event, ...added }: NewEvent,
): EventRow => ({
  event: roomKey(room, head.nextEvent),
  room,
  eventId: event.eventId,
  pos: undefined,
  type: event.type,
  stateKey: undefined,
  sender: added.sender,
  depth: event.depth,
  originServerTs: event.originServerTs,
  receivedTs: added.receivedTs,
  isOutlier: false,
  rejectedBy: undefined,
  isSoftFailed: false,
  isBackfilled: false,
  hasGapBefore: false,
  redactedBy: undefined,
  thread: added.thread,
  unreadBits: added.unreadBits,
  prevEvents: packNumbers(head.extremities.map((extremity) => extremity.n)),
  authEvents: packNumbers(added.authEvents),
  stateBefore: head.currentState,
  stateAfter: head.currentState,
})

/** The event becomes the state at its key: a new state is derived from the head's. Returns the number of the key. */
async function setState(
  room: ActiveRoom,
  change: Change,
  { event, n, entry }: { readonly event: RoomEvent; readonly n: number; readonly entry: number },
  { views }: AppendDeps,
): Promise<number> {
  const key = await keyNumber(room, change, event)
  // Entries are at hand before the head moves, so that they can be kept in step.
  await room.entries()
  let next = room.head.nextState
  const { room: number } = room
  const state = await room.store.states(
    number,
    (rows) => {
      next = room.head.nextState
      return setMany(rows, room.head.currentState, [[key, n]], () => next++)
    },
    room.pending.stateRows,
  )
  const fingerprint = room.fingerprints.after(number, room.head.fingerprint, state.differences)
  writeState(change, { room: number, state, fingerprint, isFindable: false })
  for (const { state: made, nodes } of state.rows) room.pending.stateRows.set(made, nodes)
  room.head = { ...room.head, nextState: next, currentState: state.root, fingerprint }
  room.setEntry(key, n)
  change.write(currentStateAdded, { room: number, pos: entry, state: state.root })
  change.onCommitted((first) => {
    views.stateMoved(number, first + entry, state.root)
    for (const { state: made, nodes } of state.rows) {
      room.pending.stateRows.delete(made)
      room.store.keepStateRow(number, made, nodes)
    }
  })
  return key
}

/** The room's number of the event's type and state key, a new one if the room never had it. */
export async function keyNumber(room: ActiveRoom, change: Change, event: RoomEvent): Promise<number> {
  const name = { type: event.type, stateKey: event.stateKey ?? '' }
  const known = await room.keyNumber(name)
  if (known !== undefined) return known
  const key = room.head.nextStateKey
  room.head = { ...room.head, nextStateKey: key + 1 }
  change.write(stateKeyAdded, { key: roomKey(room.room, key), room: room.room, ...name })
  const pendingName = `${name.type}\0${name.stateKey}`
  room.pending.keys.set(pendingName, key)
  room.pending.keyNames.set(key, name)
  change.onCommitted(() => {
    room.pending.keys.delete(pendingName)
    room.pending.keyNames.delete(key)
    room.store.keepStateKey(room.room, key, name)
  })
  return key
}

/** The rows by which an event is found from what it relates to or redacts. */
function writeReferences(
  room: ActiveRoom,
  change: Change,
  { event, row }: { readonly event: RoomEvent; readonly row: EventRow },
): void {
  const relation = readRelation(event.content)
  if (relation !== undefined) {
    change.write(relationAdded, {
      room: room.room,
      target: relation.eventId,
      relType: relation.relType,
      event: row.event,
      sender: row.sender,
      type: event.type,
      aggregationKey: relation.key,
    })
  }
  if (event.type === 'm.room.redaction' && event.redacts !== undefined) {
    change.write(redactionAdded, { room: room.room, target: event.redacts, event: row.event })
  }
}

type MembershipEvent = {
  readonly event: RoomEvent
  readonly row: EventRow
  readonly target: { readonly user: number; readonly isLocal: boolean }
  /** The event's entry in the log. */
  readonly entry: number
  /** The state before the event. */
  readonly before: number
}

async function changeMembership(
  room: ActiveRoom,
  change: Change,
  { event, row, target, before }: MembershipEvent,
  { memberships }: AppendDeps,
): Promise<void> {
  const { user, isLocal } = target
  const membership = (getString(event.content, 'membership') ?? 'leave') as MembershipName
  const former = await membershipBefore(room, row.stateKey ?? 0, before)
  const isRenewal = former === membership
  room.joinedCount += Number(membership === 'join') - Number(former === 'join')
  const entry = change.log({ kind: LOG_KIND.membership, room: room.room, user, item: row.event })
  const written = { room: room.room, user, event: row.event, pos: entry }
  if (isRenewal) change.write(membershipRenewed, written)
  else change.write(membershipChanged, { ...written, membership, sincePos: entry, isForgotten: false })
  change.onCommitted((first) => {
    const pos = first + entry
    memberships.applied({ ...written, membership, pos, sincePos: pos, isForgotten: false }, { isLocal, isRenewal })
  })
}

async function membershipBefore(room: ActiveRoom, key: number, state: number): Promise<string | undefined> {
  const n = await room.stateEntry(state, key)
  const event = n === 0 ? undefined : await room.event(n)
  return getString(event?.content, 'membership')
}
