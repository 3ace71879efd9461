import assert from 'node:assert/strict'
import { getCapabilities } from '#api/client/capabilities.ts'
import { getWellknown } from '#api/client/wellknown.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'

eachHomeserver('a server that was not told where it is does not say it', async ({ stranger, register }) => {
  const refused = await stranger().refused(getWellknown)
  assert.deepEqual([refused.status, refused.errcode], [404, 'M_NOT_FOUND'])
  const alice = await register('alice')
  const { capabilities } = await alice.call(getCapabilities)
  assert.deepEqual(capabilities['m.profile_fields'], { enabled: true })
  assert.deepEqual(capabilities['m.change_password'], { enabled: true })
  assert.deepEqual(capabilities['m.get_login_token'], { enabled: false })
  assert.deepEqual(capabilities['m.forget_forced_upon_leave'], { enabled: false })
  const versions = capabilities['m.room_versions']
  assert.equal(versions?.available[versions.default], 'stable')
  assert.equal((await stranger().refused(getCapabilities)).errcode, 'M_MISSING_TOKEN')
})

eachHomeserver(
  'what the administrator says is what clients are told',
  async ({ stranger, register }) => {
    assert.deepEqual(await stranger().call(getWellknown), {
      'm.homeserver': { base_url: 'https://matrix.example.org/' },
      'org.example.call': { url: 'https://call.example.org' },
    })
    const alice = await register('alice')
    const admin = await register('admin', { admin: true })
    const { capabilities } = await alice.call(getCapabilities)
    assert.deepEqual(capabilities['m.profile_fields'], { enabled: true, disallowed: ['displayname', 'avatar_url'] })
    assert.deepEqual(
      [capabilities['m.set_displayname'], capabilities['m.set_avatar_url']],
      [{ enabled: false }, { enabled: false }],
    )
    const theirs = (await admin.call(getCapabilities)).capabilities
    assert.deepEqual([theirs['m.set_displayname'], theirs['m.profile_fields']], [{ enabled: true }, { enabled: true }])
  },
  {
    config: `
public_baseurl: https://matrix.example.org/
extra_well_known_client_content: { org.example.call: { url: 'https://call.example.org' } }
enable_set_displayname: false
enable_set_avatar_url: false`,
  },
)

eachHomeserver('a token belongs to its user, or to nobody', async ({ stranger, register }) => {
  const alice = await register('alice')
  const owner = { user_id: alice.userId, device_id: alice.deviceId, is_guest: false }
  assert.deepEqual(await alice.call(getTokenOwner), owner)
  const query = { access_token: String(alice.accessToken) }
  assert.deepEqual(await stranger().call(getTokenOwner, { query }), owner)
  assert.equal((await stranger().refused(getTokenOwner)).errcode, 'M_MISSING_TOKEN')
  for (const token of ['x', 'mya_x', '%00']) {
    const refused = await stranger().refused(getTokenOwner, { headers: { authorization: `Bearer ${token}` } })
    assert.deepEqual([refused.status, refused.errcode, refused.body['soft_logout']], [401, 'M_UNKNOWN_TOKEN', false])
  }
})
