import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId } from '#protocol/identifiers.ts'
import { roomVersion } from '#protocol/room-versions.ts'
import type { Reader } from '#storage/database.ts'
import { roomKey } from '#storage/room-key.ts'
import type { StoredEvent } from '#storage/stores/events.ts'
import { Budget, ByteCache } from '#util/byte-cache.ts'
import { RoomStore } from './room-store.ts'

const ROOM = 1
const HOME = { roomId: '!room:x' as RoomId, rules: roomVersion('11') ?? assert.fail() }

const message = (n: number): StoredEvent => ({
  event: roomKey(ROOM, n),
  room: ROOM,
  eventId: `$${n}`,
  pos: n,
  type: 'm.room.message',
  stateKey: undefined,
  sender: 1,
  depth: n,
  originServerTs: 1,
  receivedTs: 1,
  isOutlier: false,
  rejectedBy: undefined,
  isSoftFailed: false,
  isBackfilled: false,
  hasGapBefore: false,
  redactedBy: undefined,
  thread: undefined,
  unreadBits: 3,
  prevEvents: new Uint8Array(),
  authEvents: new Uint8Array(),
  stateBefore: 1,
  stateAfter: 1,
  json: '{"auth_events":[],"content":{"body":"secret"},"depth":1,"hashes":{"sha256":"x"},"origin_server_ts":1,"prev_events":[],"room_id":"!room:x","sender":"@a:x","signatures":{},"type":"m.room.message"}',
})

/** A store whose database is asked by nobody: rows are handed in as they were read. */
function storeOf() {
  const budget = new Budget(1_000_000)
  const cache = <K, V>() => new ByteCache<K, V>({ budget, sizeOf: () => 100 })
  const caches = { events: cache(), stateRows: cache(), keyNumbers: cache(), keyNames: cache() }
  return new RoomStore({ db: {} as Reader, caches } as ConstructorParameters<typeof RoomStore>[0])
}

test('an event that was read before its redaction is redacted all the same', () => {
  const store = storeOf()
  assert.equal(store.loaded(message(5), HOME).content['body'], 'secret')
  store.redacted(ROOM, 5, roomKey(ROOM, 6))
  const late = store.loaded(message(5), HOME)
  assert.deepEqual(late.content, {})
  assert.equal(late.row.unreadBits, 0)
  assert.equal(store.eventAtHand(ROOM, 5), late)
  assert.equal(store.loaded({ ...message(5), redactedBy: roomKey(ROOM, 6) }, HOME), late)
  assert.equal(store.loaded(message(5), HOME), late)
  assert.equal(store.loaded(message(4), HOME).content['body'], 'secret')
})
