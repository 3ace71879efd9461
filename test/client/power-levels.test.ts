import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, setState } from '#test/helpers/rooms.ts'

const badJson = { status: 400, errcode: 'M_BAD_JSON' }

eachHomeserver('new power levels are integers in every room version', async ({ register }) => {
  const alice = await register('alice')
  for (const version of roomVersions) {
    const roomId = await roomOf([alice], { room_version: version })
    const users = version === '12' ? {} : { [alice.userId]: 100 }
    const set = (content: object) =>
      setState(alice, roomId, { type: 'm.room.power_levels', content: { users, ...content } as never })
    for (const content of [
      { ban: '50' },
      { kick: 50.5 },
      { invite: null },
      { redact: 2 ** 53 },
      { users: { ...users, '@bob:x': '50' } },
      { users: [] },
      { events: { 'm.room.name': '50' } },
      { events: 1 },
      { notifications: { room: '50' } },
    ]) {
      await assert.rejects(set(content), badJson, `${JSON.stringify(content)} in version ${version}`)
    }
    await assert.rejects(set({ users: { ...users, bob: 50 } }), { status: 403, errcode: 'M_FORBIDDEN' })
    await set({ ban: 51, events: { 'm.room.name': 0 }, notifications: { room: 20 } })
    const wish = { room_version: version, power_level_content_override: { ban: '50' } }
    await assert.rejects(alice.call(createRoom, { body: wish as never }), badJson)
  }
})
