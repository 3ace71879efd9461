import assert from 'node:assert/strict'
import { Change } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  backedUpKey,
  backedUpKeySet,
  backedUpKeysAfter,
  backedUpKeysOfRoom,
  backedUpKeysRemoved,
  keyQualities,
} from './backed-up-keys.ts'
import {
  backupAuthDataSet,
  backupCounted,
  backupUnchanged,
  backupVersionNew,
  currentKeyBackup,
  keyBackupAdded,
  keyBackupDeleted,
  keyBackupOf,
  lastBackupVersion,
} from './key-backups.ts'

const user = 1
const backup = (version: number) => ({
  user,
  version,
  algorithm: 'a',
  authData: '{"a":1}',
  etag: 0,
  count: 0,
  isDeleted: false,
})
const begin = (version: number) =>
  new Change().require(backupVersionNew, { user, version }).write(keyBackupAdded, backup(version))

eachDatabase('a version is given once, and never again when it is gone', async ({ db, commit }) => {
  const outcomes = await Promise.all([commit(begin(1)), commit(begin(1))])
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, false],
  )
  await commit(begin(2))
  assert.deepEqual(await currentKeyBackup(db, user), backup(2))
  await commit(new Change().write(keyBackupDeleted, { user, version: 2 }))
  assert.equal((await currentKeyBackup(db, user))?.version, 1)
  assert.equal((await keyBackupOf(db, user, 2))?.isDeleted, true)
  assert.equal(await lastBackupVersion(db, user), 2)
  assert.equal((await commit(begin(2))).ok, false)
  assert.equal(await lastBackupVersion(db, 9), 0)
})

eachDatabase('authentication data is replaced where the backup is there', async ({ db, commit }) => {
  await commit(begin(1))
  const set = (version: number) => new Change().write(backupAuthDataSet, { user, version, authData: '{"b":2}' })
  const [done, gone] = await Promise.all([commit(set(1)), commit(set(2))])
  assert.deepEqual(done?.ok === true && done.returned(backupAuthDataSet), [{ version: 1 }])
  assert.deepEqual(gone?.ok === true && gone.returned(backupAuthDataSet), [])
  assert.equal((await keyBackupOf(db, user, 1))?.authData, '{"b":2}')
})

eachDatabase('a change of keys is refused where the backup moved on, is gone or is not the newest', async (test) => {
  const { db, commit } = test
  await commit(begin(1))
  await commit(begin(2))
  const change = (version: number, etag: number, mustBeCurrent: boolean) =>
    commit(
      new Change()
        .require(backupUnchanged, { user, version, etag, mustBeCurrent })
        .write(backupCounted, { user, version, etag: etag + 1, count: 5 }),
    )
  const outcomes = await Promise.all([
    change(2, 0, true),
    change(2, 0, true),
    change(2, 1, true),
    change(1, 0, true),
    change(1, 0, false),
    change(3, 0, false),
  ])
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, false, true, false, true, false],
  )
  assert.deepEqual(await keyBackupOf(db, user, 2), { ...backup(2), etag: 2, count: 5 })
  await commit(new Change().write(keyBackupDeleted, { user, version: 1 }))
  assert.equal((await change(1, 2, false)).ok, false)
})

eachDatabase('keys are read in order, page by page, and go by ranges', async ({ db, commit }) => {
  const key = (roomId: string, sessionId: string, version = 1) => ({
    user,
    version,
    roomId,
    sessionId,
    firstMessageIndex: 1,
    forwardedCount: 2,
    isVerified: true,
    sessionData: '{"s":1}',
  })
  const change = new Change()
  for (const roomId of ['!b:x', '!a:x', '!c:x']) {
    for (const sessionId of ['2', '1', '3\0\ud800']) change.write(backedUpKeySet, key(roomId, sessionId))
  }
  await commit(change.write(backedUpKeySet, key('!a:x', '1', 2)))
  const start = { user, version: 1, roomId: '', sessionId: '' }
  const first = await backedUpKeysAfter(db, start, 4)
  const [last] = first.slice(-1)
  assert.ok(last)
  const second = await backedUpKeysAfter(db, last, 10)
  assert.equal([...first, ...second].length, 9)
  assert.deepEqual(last, key('!b:x', '1'))
  assert.deepEqual(
    (await backedUpKeysOfRoom(db, { ...start, roomId: '!b:x' }, 10)).map(({ sessionId }) => sessionId),
    ['1', '2', '3\0\ud800'],
  )
  assert.deepEqual(
    (await keyQualities(db, { user, version: 1, roomId: '!a:x' }, ['3\0\ud800', 'none'])).map((one) => one.sessionId),
    ['3\0\ud800'],
  )
  const range = { firstRoom: '!a:x', firstSession: '2', lastRoom: '!b:x', lastSession: '1' }
  await commit(new Change().write(backedUpKeysRemoved, { user, version: 1, ...range }))
  assert.deepEqual(
    (await backedUpKeysAfter(db, start, 10)).map(({ roomId, sessionId }) => `${roomId} ${sessionId}`),
    ['!a:x 1', '!b:x 2', '!b:x 3\0\ud800', '!c:x 1', '!c:x 2', '!c:x 3\0\ud800'],
  )
  assert.equal((await backedUpKey(db, { user, version: 2, roomId: '!a:x', sessionId: '1' }))?.version, 2)
  assert.equal(await backedUpKey(db, { user, version: 1, roomId: '!a:x', sessionId: '2' }), undefined)
})
