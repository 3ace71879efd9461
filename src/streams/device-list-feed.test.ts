import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LOG_KIND } from '#storage/change.ts'
import { DeviceListFeed } from './device-list-feed.ts'

const changed = (user: number, pos: number) => ({ kind: LOG_KIND.deviceList, user, pos })

test('whose devices changed is known from the start on, and only then', () => {
  const feed = new DeviceListFeed(100)
  feed.committed([changed(1, 101), changed(2, 102), changed(1, 104)])
  assert.deepEqual(feed.changes({ since: 100, upTo: 104 }), new Set([1, 2]))
  assert.deepEqual(feed.changes({ since: 101, upTo: 102 }), new Set([2]))
  assert.deepEqual(feed.changes({ since: 104, upTo: 104 }), new Set())
  assert.equal(feed.changes({ since: 99, upTo: 104 }), undefined)
})

test('what is forgotten is not claimed to be known', () => {
  const feed = new DeviceListFeed(0)
  const entries = Array.from({ length: 20_001 }, (_, n) => changed(n, n + 1))
  feed.committed(entries)
  assert.equal(feed.changes({ since: 10_000, upTo: 20_001 }), undefined)
  assert.equal(feed.changes({ since: 10_001, upTo: 20_001 })?.size, 10_000)
})

test('it is quiet until devices change or somebody comes or goes', () => {
  const feed = new DeviceListFeed(100)
  assert.deepEqual([feed.isQuiet(99), feed.isQuiet(100)], [false, true])
  feed.committed([changed(1, 101), { kind: LOG_KIND.event, room: 5, pos: 102 }])
  assert.deepEqual([feed.isQuiet(100), feed.isQuiet(101)], [false, true])
  feed.committed([{ kind: LOG_KIND.membership, room: 5, user: 1, pos: 103 }])
  assert.deepEqual([feed.isQuiet(102), feed.isQuiet(103)], [false, true])
})

test('rooms in which nobody came or went since the start are known as such', () => {
  const feed = new DeviceListFeed(100)
  feed.committed([{ kind: LOG_KIND.membership, room: 5, user: 1, pos: 101 }])
  assert.deepEqual([feed.hasMoves(5, 100), feed.hasMoves(5, 101), feed.hasMoves(6, 100)], [true, false, false])
  assert.deepEqual([feed.hasMoves(5, 50), feed.hasMoves(6, 50)], [true, undefined])
})
