import assert from 'node:assert/strict'
import { getDevices } from '#api/client/device-management.ts'
import { logout } from '#api/client/logout.ts'
import { register } from '#api/client/registration.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'

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
