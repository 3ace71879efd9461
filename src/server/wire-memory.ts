import type { LoadedEvent } from '#rooms/loaded-event.ts'
import { MembershipIndex, sizeOfRooms, sizeOfUsers } from '#rooms/membership-index.ts'
import { RoomStore, type StateKeyName } from '#rooms/room-store.ts'
import type { RoomView } from '#rooms/room-view.ts'
import { RoomViews } from '#rooms/views.ts'
import type { Database } from '#storage/database.ts'
import { Feed } from '#streams/feed.ts'
import { Caches } from './caches.ts'

/** What is kept in memory of rooms and who is in them, as far as the budget allows, and how far it is true. */
export const wireMemory = (database: Database, maxBytes: number) => {
  const caches = new Caches(maxBytes)
  const { budget, cache } = caches
  const feed = new Feed(database.start.position)
  const store = new RoomStore({
    db: database,
    caches: {
      events: cache<number, LoadedEvent>((event) => event.bytes, 'events'),
      stateRows: cache<number, Uint8Array>((row) => row.byteLength, 'state_rows'),
      keyNumbers: cache<string, number>((_, key) => key.length * 2, 'state_keys'),
      keyNames: cache<number, StateKeyName>((name) => (name.type.length + name.stateKey.length) * 2, 'state_keys'),
    },
  })
  const views = new RoomViews({ store, feed, cache: cache<number, RoomView>((view) => view.bytes, 'room_views') })
  const memberships = new MembershipIndex({
    db: database,
    ofUser: cache(sizeOfRooms, 'rooms_of_users'),
    ofRoom: cache(sizeOfUsers, 'users_of_rooms'),
  })
  return { caches, budget, cache, feed, store, views, memberships }
}
