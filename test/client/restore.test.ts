import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sync } from '#api/client/sync.ts'
import { sqlitePlace, startHomeserver } from '#test/helpers/homeserver.ts'
import { history, roomOf, say } from '#test/helpers/rooms.ts'

test('a token from before a restore is answered like a first sync, and positions are not given again', async () => {
  await using place = sqlitePlace()
  const file = join(place.folder, 'homeserver.db')
  const backup = join(place.folder, 'backup.db')
  const first = await startHomeserver(place)
  const alice = await first.register('alice')
  const roomId = await roomOf([alice])
  await first[Symbol.asyncDispose]()
  copyFileSync(file, backup)

  const second = await startHomeserver(place)
  const session = { accessToken: alice.accessToken ?? '', userId: alice.userId, deviceId: alice.deviceId }
  const later = second.stranger().with(session)
  await say(later, roomId, 'will be lost')
  const { next_batch: since } = await later.call(sync)
  await second[Symbol.asyncDispose]()
  copyFileSync(backup, file)

  await using third = await startHomeserver(place)
  const after = third.stranger().with(session)
  const kept = await say(after, roomId, 'after the restore')
  const answer = await after.call(sync, { query: { since, timeout: '10000' } })
  const room = answer.rooms?.join?.[roomId]
  assert.ok(room?.state?.events?.length !== undefined && room.timeline?.events.at(-1)?.event_id === kept)
  assert.ok(room?.timeline?.events.length === 7, 'as a first sync shows it')
  assert.equal((await history(after, roomId)).filter((id) => id === kept).length, 1)
})

test('a database that was closed in order goes on at its last position, one that was not above its ceiling', async () => {
  await using place = sqlitePlace()
  const first = await startHomeserver(place)
  const alice = await first.register('alice')
  await roomOf([alice])
  const last = first.services.feed.applied
  await first[Symbol.asyncDispose]()
  const second = await startHomeserver(place)
  assert.equal(second.services.feed.applied, last)
  const { incarnation } = second.services.db.start
  await second[Symbol.asyncDispose]()
  const third = await startHomeserver(place)
  assert.equal(third.services.db.start.incarnation, incarnation)
  await third[Symbol.asyncDispose]()
})
