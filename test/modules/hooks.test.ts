import assert from 'node:assert/strict'
import { after } from 'node:test'
import { uploadContent } from '#api/client/content-repo.ts'
import { createRoom } from '#api/client/create-room.ts'
import { setRoomAlias } from '#api/client/directory.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoom, joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import { login } from '#api/client/login.ts'
import { deleteProfileField, getUserProfile, setProfileField } from '#api/client/profile.ts'
import { register } from '#api/client/registration.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { sync } from '#api/client/sync.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import { hooks } from '#modules/hooks.ts'
import { shadow } from '#modules/verdicts.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { roomOf, setState } from '#test/helpers/rooms.ts'
import { assertRefused, heard, no, withRecorder } from './recorder.ts'

// The hooks of sends have a file of their own: sends.test.ts.

const OPEN = 'enable_registration: true\nenable_registration_without_verification: true\nallow_guest_access: true'
const COUNT = row({ count: integer() })

withRecorder('a module hears of every join, and its no keeps the user out', async (homeserver, recorder) => {
  const [alice, bob] = [await homeserver.register('alice'), await homeserver.register('bob')]
  const roomId = await roomOf([alice], { preset: 'public_chat' })
  const roomAlias = '#open:example.org'
  await alice.call(setRoomAlias, { params: { roomAlias }, body: { room_id: roomId as never } })
  recorder.taken()
  const joins = [
    () => bob.send(joinRoomById, { params: { roomId } }),
    () => bob.send(joinRoom, { params: { roomIdOrAlias: roomAlias } }),
    () =>
      bob.send(setRoomStateWithKey, {
        params: { roomId, eventType: 'm.room.member', stateKey: bob.userId },
        body: { membership: 'join' },
      }),
  ]
  const asked = async (isInvited: boolean) => {
    for (const answer of [no, shadow, undefined]) {
      recorder.answer('userMayJoinRoom', answer)
      for (const join of joins) {
        const { status } = await join()
        assert.equal(status, answer === undefined ? 200 : 403)
        const calls = recorder.taken().filter(([name]) => name === 'userMayJoinRoom')
        assert.deepEqual(calls, [['userMayJoinRoom', bob.userId, roomId, isInvited]])
        const { joined_rooms: rooms } = await bob.call(getJoinedRooms)
        assert.deepEqual(rooms, answer === undefined ? [roomId] : [])
        if (answer === undefined) await bob.call(leaveRoom, { params: { roomId } })
      }
    }
  }
  await asked(false)
  recorder.answer('userMayJoinRoom', no)
  await alice.call(inviteUser, { params: { roomId }, body: { user_id: bob.userId as UserId } })
  recorder.taken()
  assertRefused(await bob.refused(joinRoomById, { params: { roomId } }))
  assert.deepEqual(recorder.taken(), [['userMayJoinRoom', bob.userId, roomId, true]])
  recorder.answer('userMayJoinRoom', undefined)
  await bob.call(joinRoomById, { params: { roomId } })
})

withRecorder('a module hears of every invitation, whichever way it comes', async (homeserver, recorder) => {
  const [alice, bob] = [await homeserver.register('alice'), await homeserver.register('bob')]
  const roomId = await roomOf([alice])
  const userId = bob.userId as UserId
  recorder.taken()
  const member = { type: 'm.room.member', state_key: userId, content: { membership: 'invite' } }
  const ways = [
    () => alice.send(inviteUser, { params: { roomId }, body: { user_id: userId } }),
    () =>
      alice.send(setRoomStateWithKey, {
        params: { roomId, eventType: 'm.room.member', stateKey: userId },
        body: { membership: 'invite' },
      }),
    () => alice.send(createRoom, { body: { invite: [userId] } }),
    () => alice.send(createRoom, { body: { initial_state: [member] as never } }),
  ]
  const invites = async () => Object.keys((await bob.call(sync)).rooms?.invite ?? {}).length
  const rooms = async () => (await alice.call(getJoinedRooms)).joined_rooms.length
  for (const [index, invite] of ways.entries()) {
    recorder.answer('userMayInvite', no)
    const before = await rooms()
    assert.equal((await invite()).status, 403)
    const [call] = recorder.taken().filter(([name]) => name === 'userMayInvite')
    assert.deepEqual(call?.slice(0, 3), ['userMayInvite', alice.userId, userId])
    assert.match(String(call?.[3]), index < 2 ? new RegExp(`^${roomId.replace('!', '\\!')}$`) : /^!/)
    // Nothing of a room is there that could not be made as it was wanted.
    assert.deepEqual([await invites(), await rooms()], [0, before])
    recorder.answer('userMayInvite', shadow)
    assert.equal((await invite()).status, 200)
    assert.equal(await invites(), 0)
  }
  recorder.answer('userMayInvite', undefined)
  for (const invite of ways.slice(1)) assert.equal((await invite()).status, 200)
  assert.equal(await invites(), 3)
})

withRecorder('a module hears of every room that is to be made, and may refuse it', async (homeserver, recorder) => {
  const alice = await homeserver.register('alice')
  recorder.taken()
  recorder.answer('userMayCreateRoom', no)
  const body = { name: 'A room', invite: ['@bob:example.org' as UserId] }
  assertRefused(await alice.refused(createRoom, { body }))
  assert.deepEqual(recorder.taken(), [['userMayCreateRoom', alice.userId, body]])
  assert.deepEqual((await alice.call(getJoinedRooms)).joined_rooms, [])
  recorder.answer('userMayCreateRoom', shadow)
  assert.equal((await alice.refused(createRoom, { body })).status, 403)
  recorder.answer('userMayCreateRoom', undefined)
  await alice.call(createRoom, { body })
})

withRecorder(
  'a module hears of every account that is to be made by who wants it, and may refuse it or make it one that nobody hears',
  async (homeserver, recorder) => {
    const { services, stranger } = homeserver
    const auth = { type: 'm.login.dummy' }
    const wish = (username: string) => ({ body: { username, password: 'a good password', auth } })
    const headers = { 'user-agent': 'A phone' }
    const isShadowBanned = async (userId: string) => (await services.accounts.find(userId as UserId))?.isShadowBanned
    recorder.answer('checkRegistrationForSpam', no)
    assertRefused(await stranger().refused(register, { ...wish('alice'), headers }))
    const [call] = recorder.taken()
    assert.deepEqual(call, [
      'checkRegistrationForSpam',
      '@alice:example.org',
      { ip: '127.0.0.1', userAgent: 'A phone' },
    ])
    assert.equal(await isShadowBanned('@alice:example.org'), undefined)
    assertRefused(await stranger().refused(register, { query: { kind: 'guest' }, body: {} }))
    recorder.answer('checkRegistrationForSpam', shadow)
    const alice = await stranger().call(register, wish('alice'))
    assert.equal(await isShadowBanned(alice.user_id), true)
    recorder.answer('checkRegistrationForSpam', undefined)
    const bob = await stranger().call(register, wish('bob'))
    assert.equal(await isShadowBanned(bob.user_id), false)
    // A guest who becomes a user is asked about again.
    const guest = await stranger().call(register, { query: { kind: 'guest' }, body: {} })
    const name = guest.user_id.slice(1).split(':')[0] ?? ''
    const upgrade = wish(name)
    const body = { ...upgrade.body, guest_access_token: String(guest.access_token) }
    recorder.answer('checkRegistrationForSpam', no)
    assertRefused(await stranger().refused(register, { body }))
    recorder.answer('checkRegistrationForSpam', shadow)
    await stranger().call(register, { body })
    assert.equal(await isShadowBanned(guest.user_id), true)
    // What an administrator makes is not asked about.
    recorder.taken()
    await homeserver.register('carol')
    assert.deepEqual(recorder.taken(), [])
  },
  { config: OPEN },
)

withRecorder('a module hears of every login, and its no leaves no device behind', async (homeserver, recorder) => {
  const alice = await homeserver.register('alice')
  recorder.taken()
  const body = {
    type: 'm.login.password',
    user: 'alice',
    password: 'password of alice',
    device_id: 'PHONE',
    initial_device_display_name: 'Phone',
  }
  const devices = async () =>
    (await homeserver.services.db.get(COUNT, sql`SELECT count(*) AS count FROM devices`))?.count
  for (const answer of [no, shadow]) {
    recorder.answer('checkLoginForSpam', answer)
    assert.equal((await homeserver.stranger().refused(login, { body })).status, 403)
    assert.deepEqual(recorder.taken(), [
      ['checkLoginForSpam', alice.userId, { deviceId: 'PHONE', displayName: 'Phone' }],
    ])
    assert.equal(await devices(), 1)
  }
  // Whoever does not know the password is nothing that a module hears of.
  await homeserver.stranger().refused(login, { body: { ...body, password: 'wrong' } })
  assert.deepEqual(recorder.taken(), [])
  recorder.answer('checkLoginForSpam', undefined)
  const { access_token: accessToken } = await homeserver.stranger().call(login, { body })
  await alice.with({ ...alice, accessToken }).call(getTokenOwner)
  assert.equal(await devices(), 2)
})

withRecorder(
  'a module hears of every change to a profile, and may refuse or pretend it',
  async (homeserver, recorder) => {
    const alice = await homeserver.register('alice')
    recorder.taken()
    const params = { userId: alice.userId, keyName: 'displayname' }
    const profile = async () => (await alice.call(getUserProfile, { params: { userId: alice.userId } })).displayname
    const before = await profile()
    for (const answer of [no, shadow]) {
      recorder.answer('userMayChangeProfile', answer)
      const { status } = await alice.send(setProfileField, { params, body: { displayname: 'Spam' } })
      assert.equal(status, answer === shadow ? 200 : 403)
      assert.equal((await alice.send(deleteProfileField, { params })).status, answer === shadow ? 200 : 403)
      assert.deepEqual(recorder.taken(), [
        ['userMayChangeProfile', alice.userId, 'displayname', 'Spam'],
        ['userMayChangeProfile', alice.userId, 'displayname', undefined],
      ])
      assert.equal(await profile(), before)
    }
    recorder.answer('userMayChangeProfile', undefined)
    await alice.call(setProfileField, { params, body: { displayname: 'Alice' } })
    assert.equal(await profile(), 'Alice')
  },
)

withRecorder('a module hears of every upload, and of what it refuses nothing is kept', async (homeserver, recorder) => {
  const alice = await homeserver.register('alice')
  recorder.taken()
  const upload = () =>
    alice.send(uploadContent, { raw: 'five!', headers: { 'content-type': 'text/plain' }, query: { filename: 'a.txt' } })
  const kept = async () => (await homeserver.services.db.get(COUNT, sql`SELECT count(*) AS count FROM media`))?.count
  for (const answer of [no, shadow]) {
    recorder.answer('checkMediaFileForSpam', answer)
    assert.equal((await upload()).status, 403)
    const calls = recorder.taken()
    for (const call of calls) assert.deepEqual(call.slice(0, 2), ['checkMediaFileForSpam', alice.userId])
    assert.deepEqual(calls.at(-1)?.[2], { contentType: 'text/plain', size: 5 })
    assert.equal(await kept(), 0)
  }
  recorder.answer('checkMediaFileForSpam', undefined)
  assert.equal((await upload()).status, 200)
  assert.equal(await kept(), 1)
})

withRecorder('a module is not asked where the rules refuse anyhow to hear of it', async (homeserver, recorder) => {
  const [alice, bob] = [await homeserver.register('alice'), await homeserver.register('bob')]
  const roomId = await roomOf([alice])
  recorder.taken()
  await alice.refused(setProfileField, {
    params: { userId: bob.userId, keyName: 'displayname' },
    body: { displayname: 'x' },
  })
  await homeserver.stranger().refused(joinRoomById, { params: { roomId } })
  await homeserver.stranger().refused(register, { body: { username: 'dave', password: 'a good password' } })
  assert.deepEqual(recorder.taken(), [])
  await setState(alice, roomId, { type: 'm.room.topic', content: { topic: 'Modules' } })
  assert.deepEqual(
    recorder.taken().map(([name]) => name),
    ['checkEventForSpam'],
  )
})

after(() => assert.deepEqual([...heard].sort(), Object.keys(hooks).sort(), 'every hook has a call site'))
