import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { getDevices } from '#api/client/device-management.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { login } from '#api/client/login.ts'
import { logout, logoutAll } from '#api/client/logout.ts'
import { getUserProfile, setProfileField } from '#api/client/profile.ts'
import { refresh } from '#api/client/refresh.ts'
import { sync } from '#api/client/sync.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { StandingChange } from '#services/accounts/standing.ts'
import { auditEntries } from '#storage/stores/audit.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'

const setStanding = async ({ services }: TestHomeserver, { userId }: TestClient, wish: StandingChange) => {
  const account = await services.accounts.find(userId as never)
  await services.standings.set({ user: account?.user ?? 0, userId }, wish, undefined)
}
const enter = (homeserver: TestHomeserver, more: Record<string, unknown> = {}) => {
  const body = { type: 'm.login.password', user: 'alice', password: 'password of alice', ...more }
  return homeserver.stranger().send(login, { body })
}

eachHomeserver('a locked user can only log out, and goes on when the lock is taken away', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const first = (await enter(homeserver)).body as { access_token: string }
  const pair = (await enter(homeserver, { refresh_token: true })).body as { refresh_token: string }
  await alice.call(getTokenOwner)
  await setStanding(homeserver, alice, { isLocked: true })
  const refused = await alice.refused(getTokenOwner)
  assert.deepEqual([refused.status, refused.errcode, refused.body['soft_logout']], [401, 'M_USER_LOCKED', true])
  assert.equal((await enter(homeserver)).status, 401)
  const exchange = await homeserver.stranger().refused(refresh, { body: { refresh_token: pair.refresh_token } })
  assert.deepEqual([exchange.status, exchange.errcode], [401, 'M_USER_LOCKED'])
  const phone = alice.with({ ...alice, accessToken: first.access_token })
  await phone.call(logout)
  await setStanding(homeserver, alice, { isLocked: false })
  await alice.call(getTokenOwner)
  assert.equal((await phone.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  await setStanding(homeserver, alice, { isLocked: true })
  await alice.call(logoutAll)
  assert.equal((await alice.refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
})

eachHomeserver('a suspended user reads, logs in and out, and does nothing more', async (homeserver) => {
  const alice = await homeserver.register('alice')
  await setStanding(homeserver, alice, { isSuspended: true })
  await homeserver.restart()
  await alice.call(sync)
  const field = { params: { userId: alice.userId, keyName: 'displayname' }, body: { displayname: 'A' } }
  const refused = await alice.refused(setProfileField, field)
  assert.deepEqual([refused.status, refused.errcode], [403, 'M_USER_SUSPENDED'])
  assert.equal((await enter(homeserver)).status, 200)
  await alice.call(logout)
})

eachHomeserver('a user who waits for approval is not let in', async (homeserver) => {
  const alice = await homeserver.register('alice')
  await setStanding(homeserver, alice, { isApproved: false })
  assert.equal((await alice.refused(getTokenOwner)).errcode, 'M_FORBIDDEN')
  assert.equal((await enter(homeserver)).status, 403)
  await setStanding(homeserver, alice, { isApproved: true, isAdmin: true })
  await alice.call(getTokenOwner)
})

eachHomeserver('the rooms do not hear what a shadow-banned user is called now', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const { room_id: roomId } = await alice.call(createRoom, { body: {} })
  const { next_batch: since } = await alice.call(sync)
  await setStanding(homeserver, alice, { isShadowBanned: true })
  const params = { userId: alice.userId, keyName: 'displayname' }
  await alice.call(setProfileField, { params, body: { displayname: 'Banned' } })
  await homeserver.services.memberUpdates.settled()
  const { rooms } = await alice.call(sync, { query: { since } })
  assert.equal(rooms?.join?.[roomId], undefined)
})

eachHomeserver('what administrators do is written down', async (homeserver) => {
  const alice = await homeserver.register('alice', { admin: true })
  await setStanding(homeserver, alice, { isSuspended: true })
  const entries = await auditEntries(homeserver.services.db, { limit: 10 })
  assert.deepEqual(
    entries.map(({ action, subject, detail }) => [action, subject, JSON.parse(detail)]),
    [
      ['change_standing', alice.userId, { isSuspended: true }],
      ['register', alice.userId, { isAdmin: true }],
    ],
  )
})

eachHomeserver('a deactivated account is gone for good', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const { room_id: roomId } = await bob.call(createRoom, { body: { invite: [alice.userId as never] } })
  const { room_id: other } = await bob.call(createRoom, { body: { invite: [alice.userId as never] } })
  await alice.call(joinRoomById, { params: { roomId } })
  const { next_batch: since } = await bob.call(sync)
  const { services } = homeserver
  const { token } = await services.loginTokens.issue((await services.accounts.find(alice.userId as never))?.user ?? 0)
  await services.deactivations.deactivate(alice.userId as never, { erase: true, by: undefined })
  assert.equal((await alice.refused(getDevices)).errcode, 'M_UNKNOWN_TOKEN')
  const { rooms } = await bob.call(sync, { query: { since } })
  for (const id of [roomId, other]) {
    assert.deepEqual(
      rooms?.join?.[id]?.timeline?.events?.map(({ type, sender, content }) => [type, sender, content]),
      [['m.room.member', alice.userId, { membership: 'leave' }]],
    )
  }
  assert.equal((await bob.refused(getUserProfile, { params: { userId: alice.userId } })).errcode, 'M_NOT_FOUND')
  await homeserver.restart()
  const refused = await enter(homeserver)
  assert.deepEqual([refused.status, (refused.body as { errcode: string }).errcode], [403, 'M_USER_DEACTIVATED'])
  const byToken = await homeserver.stranger().refused(login, { body: { type: 'm.login.token', token } })
  assert.equal(byToken.errcode, 'M_FORBIDDEN')
  await assert.rejects(() => homeserver.register('alice'), /M_USER_IN_USE/)
  const account = await homeserver.services.accounts.find(alice.userId as never)
  assert.deepEqual([account?.isErased, account?.passwordHash], [true, undefined])
  // Doing it again changes nothing.
  await homeserver.services.deactivations.deactivate(alice.userId as never, { erase: false, by: { actor: undefined } })
  assert.equal((await homeserver.services.accounts.find(alice.userId as never))?.isErased, true)
})

eachHomeserver('whoever logs in while the account is deactivated is not in afterwards', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const [, ...logins] = await Promise.all([
    homeserver.services.deactivations.deactivate(alice.userId as never, { erase: false, by: undefined }),
    ...Array.from({ length: 5 }, () => enter(homeserver)),
  ])
  for (const { body } of logins) {
    const { access_token: accessToken } = body as { access_token?: string }
    if (accessToken === undefined) continue
    assert.equal((await alice.with({ ...alice, accessToken }).refused(getTokenOwner)).errcode, 'M_UNKNOWN_TOKEN')
  }
})
