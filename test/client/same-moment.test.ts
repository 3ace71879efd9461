import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { say } from '#test/helpers/rooms.ts'
import { systemClock } from '#util/clock.ts'

const stoppedClock = { now: () => 1_800_000_000_000, after: systemClock.after }

eachHomeserver(
  'rooms that are made in one moment in the same words are rooms of their own, also after a restart',
  async ({ register, restart }) => {
    const alice = await register('alice')
    const make = async () => (await alice.call(createRoom, { body: { name: 'Twin' } })).room_id
    const roomIds = new Set(await Promise.all([make(), make(), make()]))
    await restart()
    roomIds.add(await make())
    assert.equal(roomIds.size, 4)
    for (const roomId of roomIds) await say(alice, roomId, 'hi')
  },
  { clock: stoppedClock },
)
