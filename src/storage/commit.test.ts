import assert from 'node:assert/strict'
import { Numbers } from '#storage/stores/numbers.ts'
import { userAdded, userById, userIdFree } from '#storage/stores/users.ts'
import { eachDatabase } from '#storage/testing/each-database.ts'
import { Change, LOG_KIND } from './change.ts'

const named = (user: number, userId: string) =>
  new Change().require(userIdFree, { userId }).write(userAdded, { user, userId, isLocal: true })

eachDatabase(
  'a name asked for twice in one turn goes to the first and is refused to the second',
  async ({ db, commit }) => {
    const outcomes = await Promise.all([commit(named(1, '@a:example.org')), commit(named(2, '@a:example.org'))])
    assert.equal(outcomes[0]?.ok, true)
    assert.deepEqual(outcomes[1], { ok: false, refusedBy: 'user_id_free' })
    assert.deepEqual(await userById(db, '@a:example.org'), { user: 1, userId: '@a:example.org', isLocal: true })
  },
)

eachDatabase('one poisoned change among 200 fails alone', async ({ db, commit }) => {
  await commit(named(1000, '@first:example.org'))
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, (_, n) => commit(named(n === 77 ? 1000 : n + 1, `@u${n}:example.org`))),
  )
  assert.deepEqual(
    outcomes.flatMap(({ status }, n) => (status === 'rejected' ? [n] : [])),
    [77],
  )
  for (const n of [0, 76, 78, 199]) assert.equal((await userById(db, `@u${n}:example.org`))?.user, n + 1)
  assert.equal(await userById(db, '@u77:example.org'), undefined)
})

eachDatabase('positions rise with every entry and are announced with the batch', async ({ commit, batches, db }) => {
  const changes = Array.from({ length: 5 }, (_, n) => {
    const change = named(n + 1, `@u${n}:example.org`)
    change.log({ kind: LOG_KIND.profile, user: n + 1 })
    change.log({ kind: LOG_KIND.device, user: n + 1 })
    return change
  })
  const outcomes = await Promise.all(changes.map(commit))
  const firsts = outcomes.map((outcome) => (outcome.ok ? outcome.firstPosition - db.start.position : 0))
  assert.deepEqual(firsts, [1, 3, 5, 7, 9])
  assert.deepEqual(
    batches.flatMap(({ entries }) => entries.map(({ pos, user }) => [pos - db.start.position, user])),
    Array.from({ length: 10 }, (_, n) => [n + 1, Math.floor(n / 2) + 1]),
  )
})

eachDatabase('NUL and lone surrogates come back as they were set', async ({ db, commit }) => {
  const userId = '@a\0b\ud800c\uFFFEd\u{1F600}:example.org'
  await commit(named(1, userId))
  assert.equal((await userById(db, userId))?.userId, userId)
})

eachDatabase('numbers are given once', async ({ commit }) => {
  const [one, other] = [new Numbers(commit), new Numbers(commit)]
  const given = await Promise.all(Array.from({ length: 300 }, (_, n) => (n % 2 ? one : other).next('user')))
  assert.equal(new Set(given).size, 300)
})
