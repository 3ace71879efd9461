import type { Requester } from '#api/requester.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { RoomView } from '#rooms/room-view.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import type { CompiledFilter } from './request.ts'
import type { SeenEvent } from './visibility.ts'

/** Which members' events each device has been sent, so that they are not sent again. Forgetting is harmless: they are. */
export class SentMembers {
  readonly #cache: ByteCache<string, Map<string, number>>

  constructor(cache: ByteCache<string, Map<string, number>>) {
    this.#cache = cache
  }

  /** The members of a room that the device knows, with the event that it knows them by. */
  of({ user, deviceId }: Requester, room: number): Map<string, number> {
    const key = `${user}\0${deviceId ?? ''}\0${room}`
    const known = this.#cache.get(key)
    if (known !== undefined) return known
    const made = new Map<string, number>()
    this.#cache.set(key, made)
    return made
  }
}

type LazyState = {
  /** Memberships may be missing in a whole state: those that are wanted are looked up. */
  readonly state: readonly LoadedEvent[]
  readonly timeline: readonly SeenEvent[]
  /** The state from which members are looked up. */
  readonly base: number
  /** The client knows nothing of the room yet. */
  readonly isFull: boolean
}

/**
 * Of a state, what a client that loads members lazily is sent: everything that is no membership, and the memberships of those who appear in
 * the timeline, unless it has them already. https://spec.matrix.org/v1.19/client-server-api/#lazy-loading-room-members
 */
export const lazyState = async (
  view: RoomView,
  requester: Requester,
  { state, timeline, base, isFull }: LazyState,
  { filter, sent }: { readonly filter: CompiledFilter; readonly sent: SentMembers },
): Promise<LoadedEvent[]> => {
  const members = state.filter(({ row }) => row.type === 'm.room.member')
  const changed = new Map(members.map((event) => [event.event.stateKey ?? '', event]))
  const known = sent.of(requester, view.room)
  if (isFull) known.clear()
  // Who speaks, the client itself, and whoever it knows and who is something else now.
  const wanted = new Set<string>(timeline.map(({ event }) => event.event.sender))
  if (isFull) wanted.add(requester.userId)
  for (const userId of changed.keys()) if (known.has(userId)) wanted.add(userId)
  const redundant = filter.filter.room.state.includeRedundantMembers === true
  const told = state.filter(({ row }) => row.type !== 'm.room.member')
  for (const userId of wanted) {
    const member = changed.get(userId) ?? (await view.stateEvent(base, 'm.room.member', userId))
    if (member === undefined || (known.get(userId) === member.n && !redundant)) continue
    told.push(member)
    known.set(userId, member.n)
  }
  for (const { event } of timeline) {
    const { stateKey } = event.event
    if (event.row.type === 'm.room.member' && stateKey !== undefined) known.set(stateKey, event.n)
  }
  return told
}
