import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { anyJson } from '#protocol/event-builder.testing.ts'
import vectors from '#test/vectors/push-rules.json' with { type: 'json' }
import type { Json, JsonObject } from '#util/json.ts'
import { defaultRules } from './default-rules.ts'
import { changeRule, MAX_PATTERN_LENGTH, putRule, type RulePlace, removeRule } from './edit-rules.ts'
import {
  effectiveRules,
  findRule,
  isDefaultRuleset,
  isPushRuleKind,
  type PushRuleKind,
  pushRuleKinds,
  rulesetToJson,
  type UserPushRules,
  untouchedRules,
} from './rules.ts'

const defaults = defaultRules('@me:x')
const NO_ACTIONS: Json = { actions: [] }
const put = (
  user: UserPushRules,
  ruleId: string,
  place?: RulePlace,
  body = NO_ACTIONS,
  kind: PushRuleKind = 'room',
) => {
  const after = putRule(user, { kind, ruleId, body }, place)
  assert.ok(!('ok' in after), 'the rule should be accepted')
  return after
}
const change = (user: UserPushRules, kind: PushRuleKind, ruleId: string, what: Parameters<typeof changeRule>[2]) => {
  const after = changeRule(user, { kind, ruleId, defaults }, what)
  assert.ok(!('ok' in after), 'the change should be accepted')
  return after
}
const idsOf = (user: UserPushRules): readonly string[] => user.own.room.map(({ ruleId }) => ruleId)
const three = ['a', 'b', 'c'].reduceRight((user, ruleId) => put(user, ruleId), untouchedRules)

describe('the rules of a user', () => {
  test('a new rule is the most important of its kind and enabled', () => {
    assert.deepEqual(idsOf(three), ['a', 'b', 'c'])
    assert.ok(three.own.room.every(({ isEnabled }) => isEnabled))
  })
  test('a rule can be put before or after another', () => {
    assert.deepEqual(idsOf(put(three, 'n', { before: 'c' })), ['a', 'b', 'n', 'c'])
    assert.deepEqual(idsOf(put(three, 'n', { after: 'c' })), ['a', 'b', 'c', 'n'])
  })
  test('before wins over after', () => {
    assert.deepEqual(idsOf(put(three, 'n', { before: 'b', after: 'c' })), ['a', 'n', 'b', 'c'])
  })
  test('an existing rule can be moved', () => {
    assert.deepEqual(idsOf(put(three, 'c', { before: 'a' })), ['c', 'a', 'b'])
  })
  test('a changed rule keeps its place and stays disabled', () => {
    const disabled = change(three, 'room', 'b', { isEnabled: false })
    const changed = put(disabled, 'b', undefined, { actions: ['notify'] })
    assert.deepEqual(idsOf(changed), ['a', 'b', 'c'])
    assert.deepEqual(findRule(changed.own, 'room', 'b')?.actions, ['notify'])
    assert.equal(findRule(changed.own, 'room', 'b')?.isEnabled, false)
  })
  test('a removed rule is gone', () => {
    const after = removeRule(three, 'room', 'b')
    assert.ok(!('ok' in after) && idsOf(after).join() === 'a,c')
  })
  test('historical actions are dropped', () => {
    const user = put(untouchedRules, 'a', {}, { actions: ['dont_notify', 'notify', 'coalesce'] })
    assert.deepEqual(user.own.room[0]?.actions, ['notify'])
  })

  type Refused = readonly [string, PushRuleKind, string, Json, RulePlace, string]
  const refusals: readonly Refused[] = [
    ['a rule ID with a dot in front belongs to the server', 'room', '.m.rule.x', NO_ACTIONS, {}, 'invalid_param'],
    ['a rule ID with a slash is refused', 'room', 'a/b', NO_ACTIONS, {}, 'invalid_param'],
    ['a rule ID with a backslash is refused', 'room', 'a\\b', NO_ACTIONS, {}, 'invalid_param'],
    ['an empty rule ID is refused', 'room', '', NO_ACTIONS, {}, 'invalid_param'],
    ['a body that is no object is refused', 'room', 'a', [], {}, 'bad_json'],
    ['a rule without actions is refused', 'room', 'a', {}, {}, 'bad_json'],
    ['an action that is a number is refused', 'room', 'a', { actions: [1] }, {}, 'bad_json'],
    ['a content rule without pattern is refused', 'content', 'a', NO_ACTIONS, {}, 'bad_json'],
    [
      'a pattern without end is refused',
      'content',
      'a',
      { actions: [], pattern: 'x'.repeat(MAX_PATTERN_LENGTH + 1) },
      {},
      'bad_json',
    ],
    ['conditions that are no list are refused', 'override', 'a', { actions: [], conditions: {} }, {}, 'bad_json'],
    ['a condition without kind is refused', 'underride', 'a', { actions: [], conditions: [{}] }, {}, 'bad_json'],
    ['a place beside an unknown rule is refused', 'room', 'a', NO_ACTIONS, { before: 'zzz' }, 'relative_rule'],
    [
      'a place beside a rule of the server is refused',
      'override',
      'a',
      NO_ACTIONS,
      { after: '.m.rule.master' },
      'relative_rule',
    ],
    ['a place beside itself is refused', 'room', 'b', NO_ACTIONS, { after: 'b' }, 'relative_rule'],
  ]
  for (const [name, kind, ruleId, body, place, rule] of refusals) {
    test(name, () => {
      const after = putRule(three, { kind, ruleId, body }, place)
      assert.equal('ok' in after ? after.rule : undefined, rule)
    })
  }
  test('a rule may be as large as the limits, and no larger', () => {
    const kind = { kind: 'room_member_count', is: '1' }
    type Size = readonly [PushRuleKind, number, (size: number) => { ruleId?: string; body?: JsonObject }]
    const sizes: readonly Size[] = [
      ['content', 1024, (size) => ({ body: { actions: [], pattern: 'x'.repeat(size) } })],
      ['override', 1024, (size) => ({ body: { actions: [], conditions: [{ ...kind, pattern: 'x'.repeat(size) }] } })],
      ['override', 64, (size) => ({ body: { actions: [], conditions: Array(size).fill(kind) } })],
      ['room', 64, (size) => ({ body: { actions: Array(size).fill('notify') } })],
      ['room', 512, (size) => ({ ruleId: 'x'.repeat(size) })],
    ]
    for (const [kind, limit, make] of sizes) {
      const isRefused = (size: number): boolean =>
        'ok' in putRule(three, { kind, ruleId: 'a', body: NO_ACTIONS, ...make(size) })
      assert.deepEqual([isRefused(limit), isRefused(limit + 1)], [false, true], `${kind} ${limit}`)
    }
  })
  test('what is not there cannot be removed or changed', () => {
    const removed = removeRule(three, 'room', 'zzz')
    assert.equal('ok' in removed && removed.rule, 'not_found')
    const ofServer = removeRule(three, 'override', '.m.rule.master')
    assert.equal('ok' in ofServer && ofServer.rule, 'default_rule')
    const changed = changeRule(three, { kind: 'room', ruleId: '.m.rule.master', defaults }, { isEnabled: true })
    assert.equal('ok' in changed && changed.rule, 'not_found')
  })
  test('no JSON makes putting a rule throw', () => {
    fc.assert(
      fc.property(anyJson, fc.string(), fc.constantFrom(...pushRuleKinds), (body, ruleId, kind) => {
        putRule(three, { kind, ruleId, body })
        changeRule(three, { kind, ruleId, defaults }, { actions: body })
      }),
    )
  })
})

describe('the rules that apply', () => {
  test('the master rule comes before those of the user, all other defaults after', () => {
    const user = put(untouchedRules, 'mine', {}, NO_ACTIONS, 'override')
    const ids = effectiveRules(user, defaults).override.map(({ ruleId }) => ruleId)
    assert.deepEqual(ids.slice(0, 3), ['.m.rule.master', 'mine', '.m.rule.suppress_notices'])
    assert.equal(ids.length, defaults.override.length + 1)
  })
  test('a change of a default rule shows in what applies', () => {
    const user = change(untouchedRules, 'underride', '.m.rule.message', { actions: [] })
    const rule = findRule(effectiveRules(user, defaults), 'underride', '.m.rule.message')
    assert.deepEqual([rule?.actions, rule?.isEnabled, rule?.isDefault], [[], true, true])
  })
  test('clients read the default rules as they are published, in their order', () => {
    const published = (rules: unknown): unknown =>
      JSON.parse(JSON.stringify(rules).replaceAll(JSON.stringify(vectors.user), '"@me:x"'))
    assert.deepEqual(rulesetToJson(defaults), {
      override: published(vectors.override),
      content: [],
      room: [],
      sender: [],
      underride: published(vectors.underride),
    })
  })
  test('content rules show their pattern and room rules nothing more', () => {
    const user = put(three, 'tea', {}, { actions: [], pattern: 'tea' }, 'content')
    const json = rulesetToJson(user.own)
    assert.deepEqual(json.content, [{ rule_id: 'tea', default: false, enabled: true, actions: [], pattern: 'tea' }])
    assert.deepEqual((json.room as Json[])[0], { rule_id: 'a', default: false, enabled: true, actions: [] })
  })
  test('only the five kinds are kinds', () => {
    assert.equal(isPushRuleKind('override'), true)
    assert.equal(isPushRuleKind('toString'), false)
  })
})

describe('untouched rules', () => {
  const cases: readonly (readonly [string, UserPushRules, boolean])[] = [
    ['nothing said is untouched', untouchedRules, true],
    ['a rule of the user is not', three, false],
    ['a disabled rule of the user is', change(put(untouchedRules, 'a'), 'room', 'a', { isEnabled: false }), true],
    ['a disabled default is not', change(untouchedRules, 'underride', '.m.rule.message', { isEnabled: false }), false],
    [
      'the enabled master rule is not',
      change(untouchedRules, 'override', '.m.rule.master', { isEnabled: true }),
      false,
    ],
    ['other actions are not', change(untouchedRules, 'underride', '.m.rule.message', { actions: [] }), false],
    [
      'the same actions are',
      change(untouchedRules, 'underride', '.m.rule.message', { actions: ['notify', 'coalesce'] }),
      true,
    ],
    [
      'other actions of a disabled rule are',
      change(untouchedRules, 'override', '.m.rule.master', { actions: ['notify'] }),
      true,
    ],
    [
      'the same tweaks are',
      change(untouchedRules, 'underride', '.m.rule.call', {
        actions: ['notify', { value: 'ring', set_tweak: 'sound' }],
      }),
      true,
    ],
  ]
  for (const [name, user, expected] of cases) {
    test(name, () => assert.equal(isDefaultRuleset(user, defaults), expected))
  }
})
