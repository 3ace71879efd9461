import assert from 'node:assert/strict'
import { Change, LOG_KIND } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  accountDataBetween,
  accountDataOf,
  accountDataOfRooms,
  accountDataSet,
  accountDataUnchanged,
  accountDataUsage,
  NO_ROOM,
} from './account-data.ts'
import { userEntries } from './log.ts'

const ALL = { since: 0, upTo: Number.MAX_SAFE_INTEGER }

const setting = (key: { user: number; room: number; type: string }, content: string): Change => {
  const change = new Change()
  const pos = change.log({ kind: LOG_KIND.accountData, user: key.user, item: key.room })
  return change.write(accountDataSet, { ...key, content, pos })
}

eachDatabase('account data are kept by user, room and type, whatever the type is called', async ({ db, commit }) => {
  const type = 'a\0\ud800b'
  const keys = [
    { user: 1, room: NO_ROOM, type },
    { user: 1, room: 7, type },
    { user: 2, room: NO_ROOM, type },
  ]
  const outcomes = await Promise.all(keys.map((key, n) => commit(setting(key, `{"n":${n}}`))))
  assert.ok(outcomes.every(({ ok }) => ok))
  for (const [n, key] of keys.entries()) assert.equal((await accountDataOf(db, key))?.content, `{"n":${n}}`)
  const rows = await accountDataBetween(db, { user: 1, room: 7, ...ALL })
  assert.deepEqual(
    rows.map((row) => row.type),
    [type],
  )
  const [row] = rows
  assert.deepEqual(await accountDataBetween(db, { user: 1, room: 7, since: row?.pos ?? 0, upTo: ALL.upTo }), [])
  assert.deepEqual(await accountDataOfRooms(db, [7, 8], { user: 1, upTo: ALL.upTo }), rows)
  assert.deepEqual(await accountDataOfRooms(db, [7], { user: 1, upTo: (row?.pos ?? 0) - 1 }), [])
})

eachDatabase(
  'of two values in one batch the last one stays, with one log entry each at most',
  async ({ db, commit }) => {
    const key = { user: 1, room: NO_ROOM, type: 't' }
    await commit(setting(key, '1'))
    await Promise.all([commit(setting(key, '2')), commit(setting(key, '3'))])
    await commit(setting(key, '4'))
    const row = await accountDataOf(db, key)
    assert.equal(row?.content, '4')
    const entries = await userEntries(db, 1, { ...ALL, limit: 10 })
    assert.equal(entries.at(-1)?.pos, row?.pos)
    assert.ok(entries.length <= 2)
  },
)

eachDatabase('a change that was made from an older value is refused', async ({ db, commit }) => {
  const key = { user: 1, room: 3, type: 'm.tag' }
  const changes = [1, 2, 3].map((n) => setting(key, String(n)).require(accountDataUnchanged, { ...key, pos: 0 }))
  const outcomes = await Promise.all(changes.map(commit))
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.ok ? 'ok' : outcome.refusedBy)),
    ['ok', 'account_data_unchanged', 'account_data_unchanged'],
  )
  const pos = (await accountDataOf(db, key))?.pos ?? 0
  const next = await commit(setting(key, '9').require(accountDataUnchanged, { ...key, pos }))
  assert.ok(next.ok)
  assert.equal((await accountDataOf(db, key))?.content, '9')
})

eachDatabase('how much a user keeps is counted in bytes and without one type', async ({ db, commit }) => {
  await commit(setting({ user: 1, room: 3, type: 'a' }, '"ä"'))
  await commit(setting({ user: 1, room: 3, type: 'b' }, '"bb"'))
  await commit(setting({ user: 1, room: 4, type: 'a' }, '"elsewhere"'))
  assert.deepEqual(await accountDataUsage(db, { user: 1, room: 3, type: 'b' }), { count: 1, bytes: 4 })
  assert.deepEqual(await accountDataUsage(db, { user: 1, room: 3, type: '' }), { count: 2, bytes: 8 })
  assert.deepEqual(await accountDataUsage(db, { user: 9, room: 3, type: '' }), { count: 0, bytes: 0 })
})
