import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { Users } from '#services/accounts/users.ts'
import type { Bundles } from '#services/events/bundles.ts'
import { type Audience, printEvents } from '#services/events/client-events.ts'
import type { Reader } from '#storage/database.ts'
import { numberInRoom } from '#storage/room-key.ts'
import { getString } from '#util/json.ts'
import { lazyState, type SentMembers } from './lazy-members.ts'
import { plainHistory, printPlain } from './plain-history.ts'
import type { SyncRequest } from './request.ts'
import type { RoomContext, RoomSections } from './sections.ts'
import { changedState, stateWithoutMembers, wholeState } from './state-delta.ts'
import { printSummary } from './summary.ts'
import { readTimeline, type Timeline } from './timeline.ts'
import { departureOf, type SeenEvent, type Viewer } from './visibility.ts'

/** What printing rooms needs. */
export type RoomPrinting = {
  readonly db: Reader
  readonly users: Users
  readonly bundles: Bundles
  readonly sections: RoomSections
  readonly sent: SentMembers
  /** Prints a token for paging back from a position. */
  readonly pageToken: (position: number) => string
}

type RoomRequest = Pick<SyncRequest, 'fullState' | 'stateAfter'>

/** A printed room, at once where memory has all of it; `undefined` if there is nothing to say of it. */
export type PrintedRoom = string | undefined | Promise<string | undefined>

/** Prints a room for `join`. */
export const printJoined = (room: RoomContext, request: RoomRequest, deps: RoomPrinting): PrintedRoom => {
  const plain = request.fullState ? undefined : plainHistory(room, deps.sent)
  if (plain === undefined) return printWhole(room, request, deps)
  const stateName = request.stateAfter ?? 'state'
  const history = printPlain(plain, room, { pageToken: deps.pageToken, stateName })
  const ephemeral = deps.sections.ephemeral(room)
  const accountData = deps.sections.accountData(room)
  if (ephemeral instanceof Promise || accountData instanceof Promise)
    return printSlowly(room, request, { history, ephemeral, accountData }, deps)
  return printParts(room, request, { history, ephemeral, accountData }, deps)
}

async function printWhole(room: RoomContext, request: RoomRequest, deps: RoomPrinting): Promise<string | undefined> {
  const history = await readHistory(room, request, deps)
  const { ephemeral, accountData } = deps.sections
  return printSlowly(room, request, { history, ephemeral: ephemeral(room), accountData: accountData(room) }, deps)
}

type Texts = readonly string[]
type Parts = { readonly history: Texts | undefined; readonly ephemeral: Texts; readonly accountData: Texts }
type PartsToCome = { readonly [K in keyof Parts]: Parts[K] | Promise<Parts[K]> }

async function printSlowly(
  room: RoomContext,
  request: RoomRequest,
  parts: PartsToCome,
  deps: RoomPrinting,
): Promise<string | undefined> {
  const [history, ephemeral, accountData] = await Promise.all([parts.history, parts.ephemeral, parts.accountData])
  return printParts(room, request, { history, ephemeral, accountData }, deps)
}

function printParts(room: RoomContext, request: RoomRequest, parts: Parts, deps: RoomPrinting): PrintedRoom {
  const { history, ephemeral, accountData } = parts
  const isFirst = room.roomSince === 0 || request.fullState
  if (!isFirst && history === undefined && ephemeral.length === 0 && accountData.length === 0) return undefined
  const unread = deps.sections.unread(room)
  const fields = history ?? emptyHistory(room, request, deps)
  if (unread instanceof Promise) return unread.then((counts) => joined(room, fields, parts, counts))
  return joined(room, fields, parts, unread)
}

/** Not joined piece by piece, so that the whole answer is laid out in one go. */
function joined({ view }: RoomContext, fields: Texts, { ephemeral, accountData }: Parts, unread: Texts): string {
  let text = `${JSON.stringify(view.roomId)}:{`
  for (const field of fields) text += `${field},`
  text += `"ephemeral":{"events":[${ephemeral.join(',')}]},"account_data":{"events":[${accountData.join(',')}]}`
  for (const field of unread) text += `,${field}`
  return `${text}}`
}

/**
 * Prints a room for `leave`: what was said until then that the user may see, by which event they are out of it, and the state as it was when
 * they went out. Those who never were in it, such as whoever declined an invitation, get no state.
 */
export const printLeft = async (
  room: RoomContext,
  request: RoomRequest,
  deps: RoomPrinting,
): Promise<string | undefined> => {
  const { view, requester, roomSince } = room
  const membership = room.memberships.get(view.room)
  const viewer = { userId: requester.userId, membership }
  const range = { since: roomSince, upTo: Math.min(room.upTo, membership?.sincePos ?? room.upTo) }
  const timeline = await readTimeline(view, viewer, range, room.filter)
  const own = membership && (await view.event(numberInRoom(membership.event)))
  const isTold = own === undefined || timeline.events.some(({ event }) => event.n === own.n)
  const later = isTold || (own.row.pos ?? 0) <= roomSince ? [] : [asOwn(own)]
  const stateUpTo = (await departureOf(view, viewer))?.row.pos ?? 0
  const fields = await printHistory(room, request, { timeline, viewer, upTo: range.upTo, stateUpTo, later }, deps)
  if (fields === undefined) return undefined
  const accountData = await deps.sections.accountData(room)
  const parts = [...fields, `"account_data":{"events":[${accountData.join(',')}]}`]
  return `${JSON.stringify(view.roomId)}:{${parts.join(',')}}`
}

async function readHistory(room: RoomContext, request: RoomRequest, deps: RoomPrinting): Promise<string[] | undefined> {
  const { view, requester, upTo, roomSince, memberships } = room
  const viewer = { userId: requester.userId, membership: memberships.get(view.room) }
  const timeline = await readTimeline(view, viewer, { since: roomSince, upTo }, room.filter)
  return printHistory(room, request, { timeline, viewer, upTo }, deps)
}

type History = {
  readonly timeline: Timeline
  readonly viewer: Viewer
  readonly upTo: number
  /** Where the state that is theirs ends, if that is before; 0 where none of it is. */
  readonly stateUpTo?: number
  /** What is shown after the timeline, whatever happened in between. */
  readonly later?: readonly SeenEvent[]
}

/** Timeline, state and summary as fields, or `undefined` if there is nothing in them. */
async function printHistory(
  room: RoomContext,
  request: RoomRequest,
  { timeline, viewer, upTo, stateUpTo = upTo, later = [] }: History,
  deps: RoomPrinting,
): Promise<string[] | undefined> {
  const state = await stateOf(room, request, { timeline, viewer, upTo: stateUpTo }, deps)
  const isFirst = (room.roomSince === 0 || request.fullState) && stateUpTo > 0
  const shown = [...timeline.events.filter(({ event }) => isShown(event, room)), ...later]
  if (!isFirst && shown.length === 0 && state.length === 0 && !timeline.limited) return undefined
  const { requester, now, ignored } = room
  const isForServers = room.filter.filter.eventFormat === 'federation'
  const audience: Audience = { requester, now, withRoomId: false, isForServers, ignored, viewer, upTo }
  const printed = await printEvents(room.view, shown, audience, deps)
  const stateEvents = await printEvents(room.view, await asSeen(state, viewer), audience, deps)
  const name = request.stateAfter ?? 'state'
  const fields = [
    `"timeline":{"events":[${filtered(printed, room).join(',')}],"limited":${timeline.limited},"prev_batch":${JSON.stringify(deps.pageToken(timeline.before))}}`,
    `${JSON.stringify(name)}:{"events":[${filtered(stateEvents, room).join(',')}]}`,
  ]
  const mayHaveChanged =
    isFirst || timeline.limited || [...state, ...timeline.events.map(({ event }) => event)].some(isMember)
  if (mayHaveChanged && stateUpTo > 0) fields.push(`"summary":${await summaryOf(room, stateUpTo, deps)}`)
  return fields
}

function emptyHistory(room: RoomContext, { stateAfter }: RoomRequest, deps: RoomPrinting): string[] {
  return [
    `"timeline":{"events":[],"limited":false,"prev_batch":${JSON.stringify(deps.pageToken(room.upTo))}}`,
    `${JSON.stringify(stateAfter ?? 'state')}:{"events":[]}`,
  ]
}

const summaryOf = async (room: RoomContext, upTo: number, deps: RoomPrinting): Promise<string> =>
  printSummary(room.view, { user: room.requester.user, state: await room.view.stateAt(upTo) }, deps)

/** An event that says what the viewer is in the room. */
const asOwn = (event: LoadedEvent): SeenEvent => ({
  event,
  membership: getString(event.content, 'membership') ?? 'leave',
})

const isMember = ({ row }: LoadedEvent): boolean => row.type === 'm.room.member'

/** Messages of ignored users are not shown; their state events are. https://spec.matrix.org/v1.19/client-server-api/#ignoring-users */
const isShown = ({ row }: LoadedEvent, { ignored }: RoomContext): boolean =>
  row.stateKey !== undefined || !ignored.has(row.sender)

const asSeen = async (state: readonly LoadedEvent[], viewer: Viewer): Promise<SeenEvent[]> =>
  state.map((event) => ({ event, membership: viewer.membership?.membership ?? 'leave' }))

/** The state that the client is told: the whole of it, or what changed and the timeline does not show. */
async function stateOf(
  room: RoomContext,
  request: RoomRequest,
  { timeline, upTo }: History,
  deps: RoomPrinting,
): Promise<LoadedEvent[]> {
  const { view, roomSince, filter, requester } = room
  const isFull = roomSince === 0 || request.fullState
  if (upTo === 0 || (upTo <= roomSince && !isFull)) return []
  const first = timeline.events[0]?.event.row
  // What was said after the viewer went out says nothing of the state that they may see.
  const isBase = request.stateAfter === undefined && first !== undefined && (first.pos ?? 0) <= upTo
  const base = isBase && first.stateBefore !== undefined ? first.stateBefore : await view.stateAt(upTo)
  const isLazy = filter.filter.room.state.lazyLoadMembers === true
  const whole = isLazy ? stateWithoutMembers : wholeState
  const state = isFull ? await whole(view, base) : await changedState(view, await view.stateAt(roomSince), base)
  const chosen = isLazy
    ? await lazyState(view, requester, { state, timeline: timeline.events, base, isFull }, { filter, sent: deps.sent })
    : state
  if (filter.isStateOpen) return chosen
  return chosen.filter((event) =>
    filter.state({ type: event.row.type, sender: event.event.sender, roomId: view.roomId, content: event.content }),
  )
}

/** Leaves of printed events only the fields that the filter wants. */
const filtered = (printed: readonly string[], { filter }: RoomContext): readonly string[] => {
  const { fields } = filter
  return fields === undefined ? printed : printed.map((text) => JSON.stringify(fields(JSON.parse(text))))
}
