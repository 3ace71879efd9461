import { LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { changedRooms } from '#storage/stores/log.ts'
import type { MembershipRow } from '#storage/stores/memberships.ts'
import type { Feed } from '#streams/feed.ts'
import type { Token } from '#streams/token.ts'
import type { SyncContext } from './sections.ts'

/** A room that may have something to say in an answer. `since`: 0 if the client does not know the room yet. */
export type Candidate = { readonly membership: MembershipRow; readonly since: number }

/** The rooms of an answer, by what the user is in them. */
export type Skeleton = {
  readonly joined: readonly Candidate[]
  readonly invited: readonly Candidate[]
  readonly knocked: readonly Candidate[]
  readonly left: readonly Candidate[]
}

type Deps = {
  readonly db: Reader
  readonly feed: Feed
  /** Whether the typing users of a room are other ones since the token's stamp. */
  readonly hasTypingChanged: (room: number, since: Token['stamp']) => boolean
}

/** Which rooms an answer is about. Costs what changed, not how many rooms the user is in, but for a look at one number each. */
export const skeletonOf = (context: SyncContext, fullState: boolean, deps: Deps): Skeleton | Promise<Skeleton> => {
  const since = context.since?.position ?? 0
  const skeleton = {
    joined: [] as Candidate[],
    invited: [] as Candidate[],
    knocked: [] as Candidate[],
    left: [] as Candidate[],
  }
  const asked: MembershipRow[] = []
  const own = ownRooms(context)
  const isChanged = (room: number): boolean =>
    own === undefined ||
    own.has(room) ||
    deps.feed.lastOfRoom(room) > since ||
    deps.hasTypingChanged(room, context.since?.stamp)
  for (const membership of context.memberships.values()) {
    if (membership.membership !== 'join') place(skeleton, membership, context)
    else if (membership.sincePos > since) skeleton.joined.push({ membership, since: 0 })
    else if (fullState || isChanged(membership.room)) skeleton.joined.push({ membership, since })
    else if (since < deps.feed.startedAt) asked.push(membership)
  }
  if (asked.length === 0) return skeleton
  const rooms = asked.map(({ room }) => room)
  return changedRooms(deps.db, rooms, since).then((changed) => {
    for (const membership of asked) if (changed.has(membership.room)) skeleton.joined.push({ membership, since })
    return skeleton
  })
}

const NONE: ReadonlySet<number> = new Set()

/** Rooms in which something changed for the user alone; `undefined` if that is not known. */
function ownRooms({ own, since }: SyncContext): ReadonlySet<number> | undefined {
  if (since === undefined || own?.length === 0) return NONE
  if (own === undefined) return undefined
  const rooms = own.flatMap(({ kind, item }) =>
    (kind === LOG_KIND.roomAccountData || kind === LOG_KIND.receipt) && item !== undefined ? [item] : [],
  )
  return new Set(rooms)
}

type Lists = { readonly [K in 'invited' | 'knocked' | 'left']: Candidate[] }

function place(lists: Lists, membership: MembershipRow, context: SyncContext): void {
  const since = context.since?.position ?? 0
  if (membership.membership === 'invite' || membership.membership === 'knock') {
    if (membership.pos > since)
      lists[membership.membership === 'invite' ? 'invited' : 'knocked'].push({ membership, since })
    return
  }
  if (membership.isForgotten) return
  const isWanted =
    context.since === undefined ? context.filter.filter.room.includeLeave === true : membership.sincePos > since
  if (isWanted) lists.left.push({ membership, since: context.since === undefined ? 0 : since })
}
