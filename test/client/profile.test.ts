import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { deleteProfileField, getProfileField, getUserProfile, setProfileField } from '#api/client/profile.ts'
import { register } from '#api/client/registration.ts'
import { sync } from '#api/client/sync.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'

const at = ({ userId }: { readonly userId: string }, keyName: string) => ({ params: { userId, keyName } })
const set = (client: TestClient, name: string, value: unknown) =>
  client.call(setProfileField, { ...at(client, name), body: { [name]: value as never } })
const refusal = async (client: TestClient, name: string, value: unknown) => {
  const { status, errcode } = await client.refused(setProfileField, {
    ...at(client, name),
    body: { [name]: value as never },
  })
  return [status, errcode]
}

eachHomeserver('a profile has a name, a picture and whatever else its user tells', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const stranger = homeserver.stranger()
  const params = { userId: alice.userId }
  assert.deepEqual(await stranger.call(getUserProfile, { params }), { displayname: 'alice' })
  const fields = {
    displayname: 'Alice \u0000 \u{1f600}',
    avatar_url: 'mxc://example.org/abc',
    'm.tz': 'Europe/London',
    'org.example.pronouns': [{ summary: 'she', nested: { '\ud800': null, n: 1.5 } }],
    'org.example.null': null,
    plain_name: '\ud800 \0 \ufffe0000',
  }
  for (const [name, value] of Object.entries(fields)) await set(alice, name, value)
  await homeserver.restart()
  assert.deepEqual(await stranger.call(getUserProfile, { params }), fields)
  for (const [name, value] of Object.entries(fields)) {
    assert.deepEqual(await stranger.call(getProfileField, at(alice, name)), { [name]: value })
  }
  await alice.call(deleteProfileField, at(alice, 'plain_name'))
  await alice.call(deleteProfileField, at(alice, 'plain_name'))
  await set(alice, 'avatar_url', '')
  for (const name of ['plain_name', 'avatar_url', 'nothing', '\0', '\ufffe', 'X'.repeat(300)]) {
    const { status, errcode } = await stranger.refused(getProfileField, at(alice, name))
    assert.deepEqual([status, errcode], [404, 'M_NOT_FOUND'])
  }
  // The paths of the proposal answer alike.
  const unstable = '/_matrix/client/unstable/uk.tcpip.msc4133/profile/{userId}'
  assert.equal((await stranger.call(getUserProfile, { params, at: unstable })).displayname, fields.displayname)
})

eachHomeserver('a profile is changed by its user alone, within what it can hold', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const theirs = await bob.refused(setProfileField, { ...at(alice, 'displayname'), body: { displayname: 'B' } })
  assert.deepEqual([theirs.status, theirs.errcode], [403, 'M_FORBIDDEN'])
  assert.equal((await bob.refused(deleteProfileField, at(alice, 'displayname'))).errcode, 'M_FORBIDDEN')
  for (const name of ['UPPER', '1st', 'with space', 'ü', '\0', '_x']) {
    assert.deepEqual(await refusal(alice, name, 1), [400, 'M_INVALID_PARAM'], name)
    assert.equal((await alice.refused(deleteProfileField, at(alice, name))).errcode, 'M_INVALID_PARAM')
  }
  assert.deepEqual(await refusal(alice, 'x'.repeat(256), 1), [400, 'M_KEY_TOO_LARGE'])
  await set(alice, 'x'.repeat(255), 1)
  const other = await alice.refused(setProfileField, { ...at(alice, 'displayname'), body: { avatar_url: 'x' } })
  assert.deepEqual([other.status, other.errcode], [400, 'M_MISSING_PARAM'])
  const list = await alice.refused(setProfileField, { ...at(alice, 'displayname'), raw: '["displayname"]' })
  assert.equal(list.errcode, 'M_BAD_JSON')
  for (const value of [null, 5, {}, ['x']]) {
    for (const name of ['displayname', 'avatar_url', 'm.tz']) {
      assert.deepEqual(await refusal(alice, name, value), [400, 'M_BAD_JSON'])
    }
  }
  assert.deepEqual(await refusal(alice, 'displayname', 'x'.repeat(257)), [400, 'M_UNKNOWN'])
  for (const url of ['https://example.org/a.png', 'mxc://', 'mxc://example.org/a b', 'mxc://example.org/\0']) {
    assert.deepEqual(await refusal(alice, 'avatar_url', url), [400, 'M_INVALID_PARAM'])
  }
  for (const userId of ['@nobody:example.org', '@alice:elsewhere.org']) {
    assert.equal((await alice.refused(getUserProfile, { params: { userId } })).errcode, 'M_NOT_FOUND')
    assert.equal((await alice.refused(getProfileField, at({ userId }, 'displayname'))).errcode, 'M_NOT_FOUND')
  }
  assert.equal((await alice.refused(getUserProfile, { params: { userId: 'alice' } })).errcode, 'M_INVALID_PARAM')
})

eachHomeserver('a profile stays under 64 KiB, whoever writes at the same time', async (homeserver) => {
  const alice = await homeserver.register('alice')
  await alice.call(deleteProfileField, at(alice, 'displayname'))
  // {"a":"..."} has 8 bytes beside the text.
  assert.deepEqual(await refusal(alice, 'a', 'x'.repeat(65_536 - 8)), [400, 'M_PROFILE_TOO_LARGE'])
  assert.deepEqual(await refusal(alice, 'a', 'ü'.repeat(32_764)), [400, 'M_PROFILE_TOO_LARGE'])
  await set(alice, 'a', 'x'.repeat(65_535 - 8))
  assert.deepEqual(await refusal(alice, 'b', 1), [400, 'M_PROFILE_TOO_LARGE'])
  await set(alice, 'a', 'x'.repeat(65_535 - 8))
  await set(alice, 'a', 1)
  const answers = await Promise.all(
    ['b', 'c', 'd', 'e'].map((name) =>
      alice.send(setProfileField, { ...at(alice, name), body: { [name]: 'x'.repeat(30_000) } }),
    ),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 400, 400])
})

eachHomeserver('all rooms of a user hear of another name or picture, once each', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const rooms: string[] = []
  for (let n = 0; n < 3; n++) {
    const { room_id: roomId } = await bob.call(createRoom, { body: { invite: [alice.userId as never] } })
    rooms.push(roomId)
    if (n < 2) await alice.call(joinRoomById, { params: { roomId } })
  }
  const { next_batch: since } = await bob.call(sync)
  await set(alice, 'displayname', 'Alice \0')
  await Promise.all([set(alice, 'displayname', 'Alice L.'), set(alice, 'avatar_url', 'mxc://example.org/a')])
  await set(alice, 'org.example.mood', 'good')
  await homeserver.services.memberUpdates.settled()
  const { rooms: changed } = await bob.call(sync, { query: { since } })
  assert.deepEqual(Object.keys(changed?.join ?? {}).sort(), rooms.slice(0, 2).sort())
  const wanted = { membership: 'join', displayname: 'Alice L.', avatar_url: 'mxc://example.org/a' }
  for (const roomId of rooms.slice(0, 2)) {
    const events = changed?.join?.[roomId]?.timeline?.events ?? []
    assert.ok(events.length >= 1 && events.length <= 3)
    assert.deepEqual(events.at(-1)?.content, wanted)
    assert.equal(events.at(-1)?.unsigned?.prev_content?.['membership'], 'join')
  }
  await set(alice, 'displayname', 'Alice L.')
  await homeserver.services.memberUpdates.settled()
  const { next_batch } = await bob.call(sync)
  await alice.call(deleteProfileField, at(alice, 'avatar_url'))
  const { rooms: again } = await bob.call(sync, { query: { since: next_batch, timeout: '10000' } })
  const [events] = Object.values(again?.join ?? {}).map(({ timeline }) => timeline?.events ?? [])
  assert.deepEqual(
    events?.map(({ content }) => content),
    [{ membership: 'join', displayname: 'Alice L.' }],
  )
})

eachHomeserver('nobody is called what no event can hold', async (homeserver) => {
  const alice = await homeserver.register('alice')
  assert.deepEqual(await refusal(alice, 'displayname', 'A \ud800'), [400, 'M_BAD_JSON'])
  await set(alice, 'displayname', '\0 \ufffe \uffff')
  await alice.call(createRoom, { body: {} })
})

eachHomeserver(
  'where profiles are managed, only administrators change them',
  async (homeserver) => {
    const alice = await homeserver.register('alice')
    const admin = await homeserver.register('admin', { admin: true })
    assert.deepEqual(await refusal(alice, 'displayname', 'A'), [403, 'M_FORBIDDEN'])
    assert.deepEqual(await refusal(alice, 'avatar_url', 'mxc://example.org/a'), [403, 'M_FORBIDDEN'])
    assert.equal((await alice.refused(deleteProfileField, at(alice, 'displayname'))).errcode, 'M_FORBIDDEN')
    await set(alice, 'm.tz', 'Europe/Paris')
    await set(admin, 'displayname', 'A')
    const stranger = homeserver.stranger()
    const refused = await stranger.refused(getUserProfile, { params: { userId: alice.userId } })
    assert.deepEqual([refused.status, refused.errcode], [401, 'M_MISSING_TOKEN'])
    assert.equal((await stranger.refused(getProfileField, at(alice, 'displayname'))).errcode, 'M_MISSING_TOKEN')
    await alice.call(getUserProfile, { params: { userId: admin.userId } })
  },
  { config: 'enable_set_displayname: false\nenable_set_avatar_url: false\nrequire_auth_for_profile_requests: true' },
)

eachHomeserver(
  'guests change their name and nothing else, modules may object, and there is a limit',
  async (homeserver) => {
    const guest = homeserver.stranger()
    const made = await guest.call(register, { query: { kind: 'guest' }, body: {} })
    Object.assign(guest, { accessToken: made.access_token, userId: made.user_id })
    await set(guest, 'displayname', 'Guest')
    assert.deepEqual(await refusal(guest, 'm.tz', 'Europe/Paris'), [403, 'M_GUEST_ACCESS_FORBIDDEN'])
    await guest.call(deleteProfileField, at(guest, 'displayname'))
    assert.deepEqual(await refusal(guest, 'displayname', 'spam'), [403, 'M_FORBIDDEN'])
    await set(guest, 'displayname', 'Guest')
    assert.deepEqual(await refusal(guest, 'displayname', 'Guest'), [429, 'M_LIMIT_EXCEEDED'])
  },
  {
    config: 'allow_guest_access: true\nrc_message: { per_second: 0.001, burst_count: 4 }',
    modules: [
      {
        name: 'no spam',
        callbacks: {
          userMayChangeProfile: (_, field, value) =>
            field === 'displayname' && value === 'spam' ? { ok: false, rule: 'spam', reason: 'No spam' } : { ok: true },
        },
      },
    ],
  },
)
