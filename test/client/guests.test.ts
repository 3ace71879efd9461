import assert from 'node:assert/strict'
import { getDevices } from '#api/client/device-management.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { logout } from '#api/client/logout.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { register } from '#api/client/registration.ts'
import { getJoinedMembersByRoom, getRoomStateWithKey } from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, setState } from '#test/helpers/rooms.ts'

const OPEN = 'enable_registration: true\nenable_registration_without_verification: true'
const dummy = () => ({ type: 'm.login.dummy' })

eachHomeserver(
  'a guest has a device that the server picked, may not do everything, and becomes a user',
  async ({ stranger, services }) => {
    const guest = stranger()
    const made = await guest.call(register, {
      query: { kind: 'guest' },
      body: { username: 'wanted', device_id: 'WANTED', password: 'secret', initial_device_display_name: 'Kiosk' },
    })
    assert.notEqual(made.user_id, '@wanted:example.org')
    assert.notEqual(made.device_id, 'WANTED')
    guest.accessToken = made.access_token
    assert.equal((await guest.call(getTokenOwner)).is_guest, true)
    assert.equal((await guest.call(getDevices)).devices?.[0]?.display_name, 'Kiosk')
    assert.equal((await guest.refused(logout)).errcode, 'M_GUEST_ACCESS_FORBIDDEN')

    const username = made.user_id.slice(1).split(':')[0] ?? ''
    const body = { username, password: 'secret', auth: dummy(), guest_access_token: String(made.access_token) }
    const client = stranger()
    assert.equal((await client.refused(register, { body: { ...body, username: 'other' } })).errcode, 'M_FORBIDDEN')
    const { username: _, ...nameless } = body
    assert.equal((await client.refused(register, { body: nameless })).errcode, 'M_MISSING_PARAM')
    const wrong = await client.refused(register, { body: { ...body, guest_access_token: 'nonsense' } })
    assert.equal(wrong.errcode, 'M_UNKNOWN_TOKEN')
    const upgraded = await client.call(register, { body })
    assert.equal(upgraded.user_id, made.user_id)
    client.accessToken = upgraded.access_token
    assert.equal((await client.call(getTokenOwner)).is_guest, false)
    assert.equal((await guest.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
    assert.deepEqual(
      (await client.call(getDevices)).devices?.map(({ device_id }) => device_id),
      [upgraded.device_id],
    )
    const user = await client.refused(register, {
      body: { ...body, guest_access_token: String(upgraded.access_token) },
    })
    assert.equal(user.errcode, 'M_FORBIDDEN')
    assert.equal((await services.accounts.find(made.user_id as never))?.kind, 'user')
  },
  { config: `${OPEN}\nallow_guest_access: true` },
)

eachHomeserver(
  'guests go when a room lets them in no more',
  async ({ stranger, register: make }) => {
    const alice = await make('alice')
    const bob = await make('bob')
    const guest = stranger()
    const made = await guest.call(register, { query: { kind: 'guest' }, body: {} })
    Object.assign(guest, { accessToken: made.access_token, userId: made.user_id })
    const join = (roomId: string) => guest.call(joinRoomById, { params: { roomId } })
    const initial_state = [{ type: 'm.room.guest_access', state_key: '', content: { guest_access: 'can_join' } }]
    const [shut, redacted] = [
      await roomOf([alice, bob], { preset: 'public_chat', initial_state }),
      await roomOf([alice, bob], { preset: 'public_chat', initial_state }),
    ]
    for (const roomId of [shut, redacted]) await join(roomId)
    const { next_batch: since } = await guest.call(sync)
    const access = { params: { roomId: redacted, eventType: 'm.room.guest_access', stateKey: '' } }
    const { event_id } = await alice.call(getRoomStateWithKey, { ...access, query: { format: 'event' } })
    await alice.call(redactEvent, { params: { roomId: redacted, eventId: String(event_id), txnId: 'r' } })
    await setState(alice, shut, { type: 'm.room.guest_access', content: { guest_access: 'forbidden' } })
    for (const roomId of [shut, redacted]) {
      await hasLeft(guest, roomId, since)
      const { joined } = await alice.call(getJoinedMembersByRoom, { params: { roomId } })
      assert.deepEqual(Object.keys(joined ?? {}).toSorted(), [alice.userId, bob.userId])
      assert.equal((await guest.refused(joinRoomById, { params: { roomId } })).errcode, 'M_GUEST_ACCESS_FORBIDDEN')
    }
    await setState(alice, shut, { type: 'm.room.guest_access', content: { guest_access: 'can_join' } })
    await join(shut)
  },
  { config: 'allow_guest_access: true\nenable_registration: true\nenable_registration_without_verification: true' },
)

/** Waits until the client is told that it is out of the room. */
async function hasLeft(client: TestClient, roomId: string, from: string): Promise<void> {
  for (let since = from; ; ) {
    const { rooms, next_batch } = await client.call(sync, { query: { since, timeout: '5000' } })
    if (rooms?.leave?.[roomId] !== undefined) return
    assert.notEqual(next_batch, since, 'nothing happened')
    since = next_batch
  }
}
