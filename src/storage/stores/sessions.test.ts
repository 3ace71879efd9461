import assert from 'node:assert/strict'
import { Change } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import { accountActive, accountAdded, accountDeactivated, accountOf, standingChanged } from './accounts.ts'
import {
  accessTokenAdded,
  deviceSessionIs,
  holderOfToken,
  refreshTokenAdded,
  refreshTokenByHash,
  sessionAdded,
  sessionOfFamily,
  supersededAccessTokensRemoved,
  supersededRefreshTokensRemoved,
} from './sessions.ts'
import { localUsersFolded, userAdded } from './users.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))
const account = (user: number) => ({
  user,
  kind: 'user' as const,
  appservice: undefined,
  passwordHash: 'hash',
  createdTs: 1,
  isAdmin: false,
  isLocked: false,
  isSuspended: false,
  isShadowBanned: false,
  isApproved: true,
  isDeactivated: false,
  isErased: false,
})
const session = (number: number, deviceId: string | undefined) => ({
  session: number,
  user: 1,
  deviceId,
  kind: 'legacy' as const,
  createdTs: 1,
  expiresTs: undefined,
  authenticatedTs: undefined,
})
const user = (number: number, userId: string, isLocal = true) =>
  new Change().write(userAdded, { user: number, userId, isLocal }).write(accountAdded, account(number))

eachDatabase('the use of a token leaves it, what was given with it and what it was exchanged for', async (test) => {
  const { db, commit } = test
  const change = user(1, '@a:b').write(sessionAdded, session(7, 'DEVICE \0'))
  await commit(change)
  const pairs = [
    ['grandparent', undefined],
    ['parent', 'grandparent'],
    ['sibling', 'grandparent'],
    ['child', 'parent'],
  ] as const
  for (const [name, parent] of pairs) {
    const common = { session: 7, createdTs: 1, expiresTs: undefined }
    const own = new Change().write(refreshTokenAdded, {
      ...common,
      hash: bytes(name),
      parent: parent === undefined ? undefined : bytes(parent),
      family: bytes('family'),
    })
    own.write(accessTokenAdded, { ...common, hash: bytes(`access ${name}`), refresh: bytes(name), isFresh: true })
    assert.ok((await commit(own)).ok)
  }
  const plain = { session: 7, createdTs: 1, expiresTs: undefined, refresh: undefined, isFresh: false }
  await commit(new Change().write(accessTokenAdded, { ...plain, hash: bytes('access plain') }))
  assert.equal(await sessionOfFamily(db, bytes('family')), 7)
  const use = new Change().write(supersededAccessTokensRemoved, { session: 7, hash: bytes('parent') })
  assert.ok((await commit(use.write(supersededRefreshTokensRemoved, { session: 7, hash: bytes('parent') }))).ok)
  const left: string[] = []
  for (const name of ['grandparent', 'parent', 'sibling', 'child']) {
    if ((await refreshTokenByHash(db, bytes(name))) !== undefined) left.push(name)
  }
  for (const name of ['plain', 'grandparent', 'parent', 'sibling', 'child']) {
    const holder = await holderOfToken(db, bytes(`access ${name}`))
    if (holder === undefined) continue
    left.push(`access ${name}`)
    assert.deepEqual([holder.userId, holder.deviceId, holder.isFresh], ['@a:b', 'DEVICE \0', true])
  }
  assert.deepEqual(left, ['parent', 'child', 'access parent', 'access child'])
})

eachDatabase('a device gets one session, however many begin at once', async ({ commit }) => {
  await commit(user(1, '@a:b'))
  const begin = (number: number, former: number) =>
    new Change()
      .require(accountActive, { user: 1 })
      .require(deviceSessionIs, { user: 1, deviceId: 'D\ud800', session: former })
      .write(sessionAdded, session(number, 'D\ud800'))
  const outcomes = await Promise.all([1, 2, 3].map((number) => commit(begin(number, 0))))
  assert.deepEqual(
    outcomes.map((outcome) => outcome.ok || outcome.refusedBy),
    [true, 'device_session_is', 'device_session_is'],
  )
})

eachDatabase('both of two conditions about the same thing count', async ({ commit }) => {
  await commit(user(1, '@a:b').write(sessionAdded, session(7, 'D')))
  const change = new Change()
    .require(deviceSessionIs, { user: 1, deviceId: 'D', session: 7 })
    .require(deviceSessionIs, { user: 1, deviceId: 'D', session: 8 })
  assert.equal((await commit(change)).ok, false)
})

eachDatabase('a standing changes where it is told to, and deactivation is for good', async ({ db, commit }) => {
  await commit(user(1, '@a:b'))
  const nothing = {
    isAdmin: undefined,
    isLocked: undefined,
    isSuspended: undefined,
    isShadowBanned: undefined,
    isApproved: undefined,
  }
  await commit(new Change().write(standingChanged, { ...nothing, user: 1, isLocked: true, isApproved: false }))
  await commit(new Change().write(standingChanged, { ...nothing, user: 1, isApproved: true }))
  const row = await accountOf(db, 1)
  assert.deepEqual([row?.isLocked, row?.isApproved, row?.isAdmin], [true, true, false])
  await commit(new Change().write(accountDeactivated, { user: 1, isErased: true }))
  await commit(new Change().write(accountDeactivated, { user: 1, isErased: false }))
  const gone = await accountOf(db, 1)
  assert.deepEqual([gone?.isDeactivated, gone?.isErased, gone?.passwordHash], [true, true, undefined])
  assert.equal((await commit(new Change().require(accountActive, { user: 1 }))).ok, false)
})

eachDatabase('local users are found in any case of ASCII letters', async ({ db, commit }) => {
  await commit(user(1, '@Ab:c'))
  await commit(user(2, '@aB:c'))
  await commit(user(3, '@AB:c', false))
  await commit(user(4, '@\u00c4:c'))
  const found = async (lowered: string) => (await localUsersFolded(db, lowered)).map((row) => row.user)
  assert.deepEqual(await found('@ab:c'), [1, 2])
  assert.deepEqual(await found('@\u00e4:c'), [])
  assert.deepEqual(await found('@\u00c4:c'), [4])
})
