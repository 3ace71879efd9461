import { canonicalJson } from '#protocol/canonical-json.ts'
import type { Services } from '#server/homeserver.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import { roomKey } from '#storage/room-key.ts'
import { eventAdded, eventJsonAdded } from '#storage/stores/events.ts'
import { packNumbers } from '#util/varint.ts'
import type { TestClient } from './client.ts'

/** An event put into a room by hand, as another server's events will be. */
export type HandMade = {
  readonly depth: number
  /** It came through paging back: it arrives nowhere. */
  readonly isBackfilled?: boolean
  /** What came before it is missing here. */
  readonly hasGapBefore?: boolean
  readonly isSoftFailed?: boolean
  readonly rejectedBy?: string
}

let count = 0
/** Numbers far from those that the room gives out itself. */
const FIRST_N = 1_000_000

/** Puts an event into the room's past or present without asking the rules, and gives its ID. */
export const putEvent = async (
  services: Services,
  sender: TestClient,
  roomId: string,
  made: HandMade,
): Promise<string> => {
  const view = await services.views.byId(roomId)
  const user = await services.users.find(sender.userId)
  if (view === undefined || user === undefined) throw new Error('no such room or user')
  const state = await view.stateAt(services.feed.applied)
  const n = FIRST_N + ++count
  const eventId = `$by-hand-${n}`
  const isBackfilled = made.isBackfilled ?? false
  const change = new Change()
  const pos = change.log({
    kind: isBackfilled ? LOG_KIND.backfilled : LOG_KIND.event,
    room: view.room,
    item: roomKey(view.room, n),
  })
  change.write(eventAdded, {
    event: roomKey(view.room, n),
    room: view.room,
    eventId,
    pos,
    type: 'm.room.message',
    stateKey: undefined,
    sender: user.user,
    depth: made.depth,
    originServerTs: n,
    receivedTs: n,
    isOutlier: false,
    rejectedBy: made.rejectedBy,
    isSoftFailed: made.isSoftFailed ?? false,
    isBackfilled,
    hasGapBefore: made.hasGapBefore ?? false,
    redactedBy: undefined,
    thread: undefined,
    unreadBits: 0,
    prevEvents: packNumbers([]),
    authEvents: packNumbers([]),
    stateBefore: state,
    stateAfter: state,
  })
  const json = canonicalJson({
    auth_events: [],
    content: { body: eventId, msgtype: 'm.text' },
    depth: made.depth,
    hashes: {},
    origin_server_ts: n,
    prev_events: [],
    room_id: roomId,
    sender: sender.userId,
    signatures: {},
    type: 'm.room.message',
  })
  change.write(eventJsonAdded, { event: roomKey(view.room, n), json })
  await services.commit(change)
  return eventId
}
