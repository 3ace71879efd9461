import assert from 'node:assert/strict'
import { getPushRules } from '#api/client/pushrules.ts'
import { sync } from '#api/client/sync.ts'
import { defaultRules } from '#protocol/push/default-rules.ts'
import { changeRule, putRule } from '#protocol/push/edit-rules.ts'
import type { UserPushRules } from '#protocol/push/rules.ts'
import type { Services } from '#server/homeserver.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'
import { isRefusal, type Refusal } from '#util/verdict.ts'

const look = (client: TestClient, since?: string) => client.call(sync, { query: since === undefined ? {} : { since } })
const told = (answer: Awaited<ReturnType<typeof look>>) =>
  answer.account_data?.events?.find(({ type }) => type === 'm.push_rules')?.content as
    | Awaited<ReturnType<typeof rulesOf>>
    | undefined
const rulesOf = (client: TestClient) => client.call(getPushRules)
const numberOf = async ({ users }: Services, { userId }: TestClient) => (await users.find(userId))?.user ?? 0
const must = (edited: UserPushRules | Refusal): UserPushRules => {
  if (isRefusal(edited)) throw new Error(edited.reason)
  return edited
}
const keyword = (ruleId: string) => (said: UserPushRules) =>
  must(
    putRule(said, {
      kind: 'content',
      ruleId,
      body: { pattern: ruleId, actions: ['notify', { set_tweak: 'highlight' }] },
    }),
  )

eachHomeserver('whoever says nothing has the default rules, at each of the paths', async ({ register }) => {
  const alice = await register('alice')
  const rules = await rulesOf(alice)
  assert.deepEqual(
    rules.global.override?.map(({ rule_id }) => rule_id),
    defaultRules(alice.userId).override.map(({ ruleId }) => ruleId),
  )
  const [mention] = rules.global.override?.filter(({ rule_id }) => rule_id === '.m.rule.is_user_mention') ?? []
  assert.equal(mention?.conditions?.[0]?.value, alice.userId)
  for (const at of getPushRules.alsoAt) assert.deepEqual(await alice.call(getPushRules, { at }), rules)
  assert.deepEqual(told(await look(alice)), rules)
})

eachHomeserver('what a user says about rules is kept, told and judged by', async (homeserver) => {
  const { register, services, restart } = homeserver
  const alice = await register('alice')
  const bob = await register('bob')
  const carol = await register('carol')
  const roomId = await roomOf([alice, bob, carol])
  const user = await numberOf(services, bob)
  assert.equal((await services.pushRules.rulesOf(user)).isUntouched, true)
  const { next_batch: since } = await look(bob)
  await services.pushRules.change(user, keyword('cheese'))
  await services.pushRules.change(user, (said) =>
    must(
      changeRule(
        said,
        { kind: 'underride', ruleId: '.m.rule.message', defaults: defaultRules(bob.userId) },
        { actions: [] },
      ),
    ),
  )
  assert.equal((await services.pushRules.rulesOf(user)).isUntouched, false)
  const rules = await rulesOf(bob)
  assert.equal(rules.global.content?.[0]?.pattern, 'cheese')
  const later = await look(bob, since)
  assert.deepEqual(told(later), rules)
  assert.equal(told(await look(bob, later.next_batch)), undefined)
  assert.equal(told(await look(carol))?.global.content?.length, 0)
  const counts = async (client: TestClient) => (await look(client)).rooms?.join?.[roomId]?.unread_notifications
  await say(alice, roomId, 'bread')
  assert.deepEqual(await counts(bob), { notification_count: 0, highlight_count: 0 })
  await restart()
  assert.deepEqual(await rulesOf(bob), rules)
  await say(alice, roomId, 'bread with cheese')
  assert.deepEqual(await counts(bob), { notification_count: 1, highlight_count: 1 })
  assert.deepEqual(await counts(carol), { notification_count: 2, highlight_count: 0 })
})

eachHomeserver('rules that are changed at the same time do not lose one another', async ({ register, services }) => {
  const alice = await register('alice')
  const user = await numberOf(services, alice)
  assert.deepEqual([...(await services.pushRules.customUsers())], [])
  const words = ['a', 'b', 'c', 'd', 'e']
  await Promise.all(words.map((word) => services.pushRules.change(user, keyword(word))))
  const rules = await rulesOf(alice)
  assert.deepEqual(rules.global.content?.map(({ rule_id }) => rule_id).sort(), words)
  assert.deepEqual([...(await services.pushRules.customUsers())], [user])
  await assert.rejects(
    services.pushRules.change(user, () => {
      throw new Error('not so')
    }),
    /not so/,
  )
})
