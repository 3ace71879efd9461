import assert from 'node:assert/strict'
import { mock } from 'node:test'
import { sync } from '#api/client/sync.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'

eachHomeserver('a message that mentions thousands looks them up at once', async ({ register, services }) => {
  const [alice, bob] = [await register('alice'), await register('bob')]
  const roomId = await roomOf([alice, bob])
  await say(alice, roomId, 'first')
  const strangers = Array.from({ length: 4000 }, (_, i) => `@${i}:x.org`)
  const reads = [mock.method(services.db, 'get'), mock.method(services.db, 'all')]
  await say(alice, roomId, 'all of you', { 'm.mentions': { user_ids: [...strangers, bob.userId] } })
  const count = reads.reduce((sum, read) => sum + read.mock.callCount(), 0)
  for (const read of reads) read.mock.restore()
  assert.ok(count < 40, `${count} reads`)
  const { rooms } = await bob.call(sync, { query: {} })
  assert.deepEqual(rooms?.join?.[roomId]?.unread_notifications, { highlight_count: 1, notification_count: 2 })
})
