import assert from 'node:assert/strict'
import { Change } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  interactiveAuthAdded,
  interactiveAuthBehind,
  interactiveAuthMoved,
  interactiveAuthOf,
  interactiveAuthRemoved,
  interactiveAuthsUntil,
  interactiveAuthUnchanged,
} from './interactive-auths.ts'

eachDatabase('of two who go on with the same authentication at once, one does', async ({ db, commit }) => {
  const row = { id: 'one', createdTs: 5, request: 'sealed', completed: '[]' }
  await commit(new Change().write(interactiveAuthAdded, row))
  const move = (completed: string) =>
    new Change()
      .require(interactiveAuthUnchanged, { id: 'one', completed: '[]' })
      .write(interactiveAuthMoved, { id: 'one', completed })
  const outcomes = await Promise.all([commit(move('["a"]')), commit(move('["b"]'))])
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, false],
  )
  assert.equal((await interactiveAuthOf(db, 'one'))?.completed, '["a"]')
  await commit(new Change().write(interactiveAuthRemoved, { id: 'one' }))
  assert.equal(await interactiveAuthOf(db, 'one'), undefined)
  assert.equal((await commit(move('["c"]'))).ok, false)
})

eachDatabase('old authentications are found by age and by number', async ({ db, commit }) => {
  for (let n = 1; n <= 6; n++) {
    await commit(
      new Change().write(interactiveAuthAdded, { id: `${n}`, createdTs: n * 10, request: '', completed: '' }),
    )
  }
  const ids = async (until: number, limit: number) =>
    (await interactiveAuthsUntil(db, until, limit)).map(({ id }) => id)
  assert.deepEqual(await ids(30, 10), ['1', '2', '3'])
  assert.deepEqual(await ids(60, 2), ['1', '2'])
  assert.equal(await interactiveAuthBehind(db, 4), 20)
  assert.equal(await interactiveAuthBehind(db, 6), undefined)
})
