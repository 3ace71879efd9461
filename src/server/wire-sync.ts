import { Typing } from '#services/ephemeral/typing.ts'
import { Bundles } from '#services/events/bundles.ts'
import { proposals } from '#services/proposals.ts'
import { SentMembers } from '#services/sync/lazy-members.ts'
import type { CompiledFilter } from '#services/sync/request.ts'
import { Syncs } from '#services/sync/sync.ts'
import { SyncRequests } from '#services/sync/sync-requests.ts'
import { Waiters } from '#services/sync/waiters.ts'
import { randomLowerAlphanumeric } from '#util/random.ts'
import type { Foundation } from './wire-foundation.ts'

/** What tells clients what happened. */
export const wireSync = (foundation: Foundation) => {
  const { config, db, feed, cache, clock, random, memberships } = foundation
  const waiters = new Waiters({ memberships, clock })
  feed.listen((entries) => waiters.committed(entries))
  const typing = new Typing({
    clock,
    boot: randomLowerAlphanumeric(random, 8),
    changed: (room) => waiters.wakeRoom(room, false),
  })
  const syncs = new Syncs({
    ...foundation,
    waiters,
    incarnation: db.start.incarnation,
    printing: {
      ...foundation,
      bundles: new Bundles(db),
      sent: new SentMembers(cache<string, Map<string, number>>((sent) => sent.size * 100, 'lazy_members')),
      sections: { ephemeral: typing.section, accountData: async () => [], unread: async () => [] },
    },
    userSections: [],
    ignored: async () => new Set<number>(),
    typing,
    excludedRooms: new Set(config.rooms.excludedFromSync),
  })
  const syncRequests = new SyncRequests({
    ...foundation,
    incarnation: db.start.incarnation,
    maxTimeline: config.rooms.maxTimelineLimit,
    filters: cache<string, CompiledFilter>((_, key) => 2_000 + key.length * 4, 'filters'),
  })
  return { syncs, syncRequests, waiters, typing, proposals: proposals() }
}
