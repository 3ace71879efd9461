import assert from 'node:assert/strict'
import { Change, LOG_KIND } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import { filterAdded, filterLike, filterNew, filterOf } from './filters.ts'
import { LOCAL_ORIGIN, mediaAdded, mediaOf, mediaSeen } from './media.ts'
import { customRuleUsers, pushRulesOf, pushRulesSet, pushRulesUnchanged } from './push-rules.ts'

eachDatabase('a user has each filter once, and not more than so many', async ({ db, commit }) => {
  const add = (user: number, filter: number, definition: string) =>
    commit(
      new Change().require(filterNew, { user, definition, limit: 2 }).write(filterAdded, { user, filter, definition }),
    )
  const outcomes = await Promise.all([
    add(1, 1, '{"a":1}'),
    add(1, 2, '{"a":1}'),
    add(2, 3, '{"a":1}'),
    add(1, 4, '{}'),
  ])
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, false, true, true],
  )
  assert.equal((await add(1, 5, '{"b":1}')).ok, false)
  assert.equal(await filterLike(db, 1, '{"a":1}'), 1)
  assert.equal(await filterOf(db, 2, 3), '{"a":1}')
  assert.equal(await filterOf(db, 2, 1), undefined)
})

eachDatabase('push rules change from what is there, and whose are their own is known', async ({ db, commit }) => {
  const set = (user: number, rules: string, { isCustom, pos }: { isCustom: boolean; pos: number }) => {
    const change = new Change().require(pushRulesUnchanged, { user, pos })
    return commit(
      change.write(pushRulesSet, { user, rules, isCustom, pos: change.log({ kind: LOG_KIND.pushRules, user }) }),
    )
  }
  const outcomes = await Promise.all([
    set(1, '{"n":1}', { isCustom: true, pos: 0 }),
    set(1, '{"n":2}', { isCustom: true, pos: 0 }),
    set(2, '{"n":3}', { isCustom: false, pos: 0 }),
    set(3, '{"n":4}', { isCustom: true, pos: 0 }),
  ])
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, false, true, true],
  )
  assert.equal((await pushRulesOf(db, 1))?.rules, '{"n":1}')
  assert.equal(await pushRulesOf(db, 9), undefined)
  assert.deepEqual(await customRuleUsers(db, { after: 0, limit: 1 }), [1])
  assert.deepEqual(await customRuleUsers(db, { after: 1, limit: 9 }), [3])
  const pos = (await pushRulesOf(db, 1))?.pos ?? 0
  assert.ok((await set(1, '{}', { isCustom: false, pos })).ok)
  assert.deepEqual(await customRuleUsers(db, { after: 0, limit: 9 }), [3])
})

eachDatabase('what is known of a file is kept by origin and ID', async ({ db, commit }) => {
  const file = {
    origin: LOCAL_ORIGIN,
    mediaId: 'abc',
    uploader: 1,
    contentType: 'text/plain',
    uploadName: 'n\0\ud800.txt',
    size: 2 ** 40,
    sha256: new Uint8Array(32).fill(9),
    createdTs: 5,
    lastAccessTs: undefined,
    isQuarantined: false,
  }
  await commit(new Change().write(mediaAdded, file))
  await commit(new Change().write(mediaAdded, { ...file, origin: 'other.org', uploader: undefined, sha256: undefined }))
  const seen = (lastAccessTs: number) =>
    commit(new Change().write(mediaSeen, { origin: LOCAL_ORIGIN, mediaId: 'abc', lastAccessTs }))
  await Promise.all([seen(7), seen(8)])
  const row = await mediaOf(db, LOCAL_ORIGIN, 'abc')
  assert.deepEqual({ ...row, sha256: [...(row?.sha256 ?? [])] }, { ...file, lastAccessTs: 8, sha256: [...file.sha256] })
  assert.equal((await mediaOf(db, 'other.org', 'abc'))?.lastAccessTs, undefined)
  assert.equal(await mediaOf(db, LOCAL_ORIGIN, 'abd'), undefined)
})
