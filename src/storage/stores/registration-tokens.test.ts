import assert from 'node:assert/strict'
import { Change } from '#storage/change.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import {
  registrationTokenAdded,
  registrationTokenClaimed,
  registrationTokenGood,
  registrationTokenOf,
  registrationTokenReleased,
  registrationTokenUsed,
} from './registration-tokens.ts'

const NOW = 1_000
const issued = (token: string, more: { usesAllowed?: number; expiresTs?: number } = {}) =>
  new Change().write(registrationTokenAdded, {
    token,
    usesAllowed: more.usesAllowed,
    pending: 0,
    completed: 0,
    expiresTs: more.expiresTs,
  })
const claim = (token: string) =>
  new Change().require(registrationTokenGood, { token, now: NOW }).write(registrationTokenClaimed, { token })

eachDatabase('a token gives as many uses as it has, however many claims come at once', async ({ db, commit }) => {
  for (const change of [
    issued('two', { usesAllowed: 2 }),
    issued('none', { usesAllowed: 0 }),
    issued('any \0\ud800', { expiresTs: NOW + 1 }),
    issued('old', { expiresTs: NOW }),
  ]) {
    assert.ok((await commit(change)).ok)
  }
  const names = ['two', 'two', 'two', 'none', 'any \0\ud800', 'any \0\ud800', 'old', 'unknown']
  const outcomes = await Promise.all(names.map((token) => commit(claim(token))))
  assert.deepEqual(
    outcomes.map(({ ok }) => ok),
    [true, true, false, false, true, true, false, false],
  )
  await commit(new Change().write(registrationTokenUsed, { token: 'two' }))
  assert.equal((await commit(claim('two'))).ok, false)
  await commit(new Change().write(registrationTokenReleased, { token: 'two' }))
  assert.equal((await commit(claim('two'))).ok, true)
  const { pending, completed } = (await registrationTokenOf(db, 'two')) ?? {}
  assert.deepEqual([pending, completed], [1, 1])
})
