import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { Feed } from '#streams/feed.ts'
import type { Token } from '#streams/token.ts'
import type { SyncRequest } from './request.ts'
import type { UserSection } from './sections.ts'

type Deps = {
  readonly feed: Feed
  readonly memberships: MembershipIndex
  readonly userSections: readonly UserSection[]
  readonly typing: { readonly hasChanged: (room: number, since: Token['stamp']) => boolean }
}

/**
 * Whether nothing happened since the token that could concern the requester, as far as memory knows: most syncs have to wait, and that is found
 * out without building what an answer needs. It takes one turn, so that whoever waits from then on misses nothing. False where memory does not say.
 */
export const isQuiet = (
  { requester, since, fullState }: Pick<SyncRequest, 'requester' | 'since' | 'fullState'>,
  { feed, memberships, userSections, typing }: Deps,
): boolean => {
  if (since === undefined || fullState || since.position < feed.startedAt) return false
  const { position, stamp } = since
  if (feed.lastOfUser(requester.user) > position) return false
  const rooms = memberships.peekUser(requester.user)
  if (rooms === undefined || !userSections.every((section) => section.isQuiet(requester, since))) return false
  for (const { room, membership, pos } of rooms.values()) {
    if (pos > position) return false
    if (membership === 'join' && (feed.lastOfRoom(room) > position || typing.hasChanged(room, stamp))) return false
  }
  return true
}
