import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { setRoomAlias } from '#api/client/directory.ts'
import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import { checkUsernameAvailability, register } from '#api/client/registration.ts'
import type { Reservation } from '#services/reservations.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf } from '#test/helpers/rooms.ts'

const reservations: readonly Reservation[] = [
  { appserviceId: 'bridge', kind: 'user', holds: (id) => id.startsWith('@bridge_') },
  { appserviceId: 'bridge', kind: 'alias', holds: (id) => id.startsWith('#bridge_') },
]
const config = 'enable_registration: true\nenable_registration_without_verification: true'

eachHomeserver(
  'nobody registers a name that is reserved for a bridge, by whichever way',
  async (homeserver) => {
    const stranger = homeserver.stranger()
    const auth = { type: 'm.login.dummy' }
    const wish = (username: string) => ({ body: { username, password: 'a good password', auth } })
    for (const name of ['bridge_alice', 'BRIDGE_alice']) {
      const refused = await stranger.refused(register, wish(name))
      assert.deepEqual([refused.status, refused.errcode], [400, 'M_EXCLUSIVE'])
    }
    const query = { username: 'bridge_alice' }
    assert.equal((await stranger.refused(checkUsernameAvailability, { query })).errcode, 'M_EXCLUSIVE')
    await assert.rejects(() => homeserver.register('bridge_alice'), /M_EXCLUSIVE/)
    await stranger.call(register, wish('alice_bridge'))
  },
  { reservations, config },
)

eachHomeserver(
  'nobody takes an alias that is reserved for a bridge, alone or with a new room',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const roomId = await roomOf([alice])
    const params = { roomAlias: '#bridge_room:example.org' }
    const refused = await alice.refused(setRoomAlias, { params, body: { room_id: roomId as never } })
    assert.deepEqual([refused.status, refused.errcode], [400, 'M_EXCLUSIVE'])
    const withRoom = await alice.refused(createRoom, { body: { room_alias_name: 'bridge_room' } })
    assert.equal(withRoom.errcode, 'M_EXCLUSIVE')
    assert.equal((await alice.call(getJoinedRooms)).joined_rooms.length, 1)
    const other = { roomAlias: '#room_bridge:example.org' }
    await alice.call(setRoomAlias, { params: other, body: { room_id: roomId as never } })
  },
  { reservations },
)
