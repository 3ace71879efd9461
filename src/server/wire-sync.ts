import { Typing } from '#services/ephemeral/typing.ts'
import { TypingNotices } from '#services/ephemeral/typing-notices.ts'
import { Bundles } from '#services/events/bundles.ts'
import { proposals } from '#services/proposals.ts'
import { Pages } from '#services/rooms/pages.ts'
import { RoomDoor } from '#services/rooms/room-access.ts'
import { RoomReader } from '#services/rooms/room-reader.ts'
import { SentMembers } from '#services/sync/lazy-members.ts'
import type { CompiledFilter } from '#services/sync/request.ts'
import type { UserSection } from '#services/sync/sections.ts'
import { Syncs } from '#services/sync/sync.ts'
import { SyncRequests } from '#services/sync/sync-requests.ts'
import { Waiters } from '#services/sync/waiters.ts'
import { randomLowerAlphanumeric } from '#util/random.ts'
import type { Foundation } from './wire-foundation.ts'
import type { UserData } from './wire-user-data.ts'

/** What tells clients what happened. */
export const wireSync = (
  foundation: Foundation,
  { joinedRooms, ignoredUsers, unreadCounts, userDataSections }: UserData,
  userSections: readonly UserSection[],
) => {
  const { config, db, feed, cache, clock, random, memberships } = foundation
  const waiters = new Waiters({ memberships, clock })
  feed.listen((entries) => waiters.committed(entries))
  const typing = new Typing({
    clock,
    boot: randomLowerAlphanumeric(random, 8),
    changed: (room) => waiters.wakeRoom(room, false),
  })
  const typingNotices = new TypingNotices({ typing, joinedRooms, memberships })
  feed.listen(typingNotices.committed)
  const bundles = new Bundles(db)
  const syncs = new Syncs({
    ...foundation,
    waiters,
    incarnation: db.start.incarnation,
    printing: {
      ...foundation,
      bundles,
      sent: new SentMembers(cache<string, Map<string, number>>((sent) => sent.size * 100, 'lazy_members')),
      sections: {
        readAhead: userDataSections.readAhead,
        ephemeral: (room) => {
          const types = typing.section(room)
          const receipts = userDataSections.receipts(room)
          if (receipts instanceof Promise) return receipts.then((moved) => [...types, ...moved])
          return receipts.length === 0 ? types : [...types, ...receipts]
        },
        accountData: userDataSections.ofRoom,
        unread: unreadCounts.section,
      },
    },
    userSections,
    ignored: ignoredUsers,
    typing,
    excludedRooms: new Set(config.rooms.excludedFromSync),
  })
  const syncRequests = new SyncRequests({
    ...foundation,
    incarnation: db.start.incarnation,
    maxTimeline: config.rooms.maxTimelineLimit,
    filters: cache<string, CompiledFilter>((_, key) => 2_000 + key.length * 4, 'filters'),
  })
  const door = new RoomDoor(foundation)
  const { incarnation } = db.start
  const roomReader = new RoomReader({ ...foundation, door, bundles, ignored: ignoredUsers.of, incarnation })
  const pages = new Pages({ ...foundation, door, reader: roomReader, incarnation })
  return { door, roomReader, pages, syncs, syncRequests, waiters, typing, typingNotices, proposals: proposals() }
}
