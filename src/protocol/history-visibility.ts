import type { RoomEvent } from '#protocol/events/pdu.ts'
import { get, getString, type JsonObject } from '#util/json.ts'

/** Who may read an event later. https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility */
export type HistoryVisibility = 'world_readable' | 'shared' | 'invited' | 'joined'

/** What an event says and what was so before it. The event itself may change either. */
export type VisibilityAtEvent = {
  readonly event: Pick<RoomEvent, 'type' | 'stateKey' | 'content'>
  /** The room's visibility in the state before the event. */
  readonly visibility: HistoryVisibility
}

/** The history visibility that an event's content sets; `shared` where there is none or it is not understood. https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility */
export function readHistoryVisibility(content: JsonObject | undefined): HistoryVisibility {
  const visibility = getString(content, 'history_visibility')
  return visibility === 'world_readable' || visibility === 'invited' || visibility === 'joined' ? visibility : 'shared'
}

/**
 * Whether a user may see an event. `membership` is the user's in the state before the event (`undefined`: none), and
 * `hasJoinedSince` says whether the user joined at any time after it; for somebody who has left again, only up to what
 * was sent while they were there, which the caller has to limit. For an event that changes the visibility, or the
 * user's own membership, before or after it will do. https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export function mayUserSee(
  at: VisibilityAtEvent,
  user: { readonly userId: string; readonly membership: string | undefined; readonly hasJoinedSince: boolean },
): boolean {
  const own = membershipSetBy(at.event, (stateKey) => stateKey === user.userId)
  return mayOne(at, [user.membership, own], user.hasJoinedSince)
}

/**
 * Whether a server may be given an event: whether any of its users may see it. `memberships` are those of its users in
 * the state before the event, and `hasJoinedSince` says whether any of them joined after it.
 * https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export function mayServerSee(
  at: VisibilityAtEvent,
  server: {
    readonly serverName: string
    readonly memberships: Iterable<string | undefined>
    readonly hasJoinedSince: boolean
  },
): boolean {
  const own = membershipSetBy(at.event, (stateKey) => serverOf(stateKey) === server.serverName)
  return mayOne(at, [...server.memberships, own], server.hasJoinedSince)
}

function mayOne(at: VisibilityAtEvent, memberships: readonly (string | undefined)[], hasJoinedSince: boolean): boolean {
  const visibilities = [at.visibility]
  if (at.event.type === 'm.room.history_visibility' && at.event.stateKey === '') {
    visibilities.push(readHistoryVisibility(at.event.content))
  }
  return visibilities.some((visibility) => {
    // 1. to 5.
    if (visibility === 'world_readable') return true
    if (memberships.includes('join')) return true
    if (visibility === 'shared' && hasJoinedSince) return true
    return visibility === 'invited' && memberships.includes('invite')
  })
}

function membershipSetBy(
  { type, stateKey, content }: VisibilityAtEvent['event'],
  isOwn: (stateKey: string) => boolean,
): string | undefined {
  if (type !== 'm.room.member' || stateKey === undefined || !isOwn(stateKey)) return undefined
  const membership = get(content, 'membership')
  return typeof membership === 'string' ? membership : undefined
}

const serverOf = (userId: string): string | undefined => {
  const colon = userId.indexOf(':')
  return colon === -1 ? undefined : userId.slice(colon + 1)
}
