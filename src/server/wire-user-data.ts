import { readReceipts, receiptSection } from '#services/ephemeral/receipt-section.ts'
import { Receipts } from '#services/ephemeral/receipts.ts'
import { Downloads } from '#services/media/downloads.ts'
import { FileStore } from '#services/media/file-store.ts'
import { Uploads } from '#services/media/uploads.ts'
import { PushRules, type RulesOfUser } from '#services/push/push-rules.ts'
import { UnreadCounts } from '#services/push/unread-counts.ts'
import { JoinedRooms } from '#services/rooms/joined-rooms.ts'
import type { SyncContext } from '#services/sync/sections.ts'
import { AccountData } from '#services/user-data/account-data.ts'
import { AccountDataSections, readRoomAccountData } from '#services/user-data/account-data-sections.ts'
import { Filters } from '#services/user-data/filters.ts'
import { type IgnoredList, IgnoredUsers, ignoredListBytes } from '#services/user-data/ignored-users.ts'
import { RoomTags } from '#services/user-data/room-tags.ts'
import type { Foundation } from './wire-foundation.ts'

/** What users keep on the server and say about what they read; media. `userDataSections` is their part of a sync. */
export const wireUserData = (foundation: Foundation) => {
  const { db, cache } = foundation
  const joinedRooms = new JoinedRooms(foundation)
  const ignoredUsers = new IgnoredUsers({
    ...foundation,
    cache: cache<number, IgnoredList>(ignoredListBytes, 'ignored_users'),
  })
  const pushRules = new PushRules({
    ...foundation,
    cache: cache<number, RulesOfUser>((rules) => rules.bytes, 'push_rules'),
  })
  const accountData = new AccountData({ ...foundation, joinedRooms, ignoredUsers, pushRules })
  const roomTags = new RoomTags({ ...foundation, accountData })
  const filters = new Filters(foundation)
  const unreadCounts = new UnreadCounts({ db, known: cache(() => 300, 'unread_counts') })
  const receipts = new Receipts({ ...foundation, joinedRooms, accountData, unreadCounts })
  const sections = new AccountDataSections({ ...foundation, pushRules })
  const userDataSections = {
    global: sections.global,
    ofRoom: sections.ofRoom,
    receipts: receiptSection(foundation),
    readAhead: async (context: SyncContext, rooms: readonly number[]) => ({
      receipts: await readReceipts(db, context, rooms),
      accountData: await readRoomAccountData(db, context, rooms),
    }),
  }
  return {
    joinedRooms,
    ignoredUsers,
    pushRules,
    accountData,
    roomTags,
    filters,
    receipts,
    unreadCounts,
    userDataSections,
    ...wireMedia(foundation),
  }
}

/** What users keep on the server. */
export type UserData = ReturnType<typeof wireUserData>

/** Uploads that nothing was written to for so long belong to an earlier life of the server. */
const ABANDONED_MS = 10 * 60_000

const wireMedia = (foundation: Foundation) => {
  const { config, clock, log } = foundation
  const store = new FileStore({ ...foundation, folder: config.media.storePath })
  const sweep = () => {
    store.sweep(clock.now() - ABANDONED_MS).then(
      (count) => {
        if (count > 0) log.info('abandoned_uploads_removed', { count })
      },
      (error: unknown) => log.warn('abandoned_uploads_not_removed', { error: String(error) }),
    )
  }
  sweep()
  // What broke off with the last life of the server is not old enough yet when this one begins.
  clock.after(2 * ABANDONED_MS, sweep)
  const uploads = new Uploads({ ...foundation, store, maxBytes: config.media.maxUploadBytes })
  const downloads = new Downloads({ ...foundation, store })
  return { uploads, downloads }
}
