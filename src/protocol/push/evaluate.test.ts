import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { anyJson, anyJsonObject, type EventDraft, roomEvent, rulesOf } from '#protocol/event-builder.testing.ts'
import { type PowerLevels, readPowerLevels } from '#protocol/power-levels.ts'
import type { Json, JsonObject } from '#util/json.ts'
import type { PushContext } from './conditions.ts'
import { type DefaultRuleOptions, defaultRules } from './default-rules.ts'
import { compileRules, compileSharedRules, evaluate, mentionedUsers, sharedVerdict } from './evaluate.ts'
import { PushEvent } from './push-event.ts'
import { emptyRuleset, type PushRule, type PushRuleKind } from './rules.ts'

const ME = '@me:x'
const levels = readPowerLevels({}, rulesOf('11')) as PowerLevels
const group: PushContext = { memberCount: 7, senderPower: 0, powerLevels: levels, displayName: 'Zoë' }
const pair: PushContext = { ...group, memberCount: 2 }
const admin: PushContext = { ...group, senderPower: 50 }
const message = (content: JsonObject, draft: EventDraft = {}) =>
  new PushEvent(roomEvent({ content: { msgtype: 'm.text', body: 'hello', ...content }, ...draft }))
const state = (type: string, content: JsonObject = {}, stateKey = '') =>
  new PushEvent(roomEvent({ type, content, stateKey }))

describe('the default rules', () => {
  type Case = readonly [string, PushEvent, PushContext, 'silent' | 'notify' | 'sound' | 'ring' | 'highlight' | 'loud']
  const cases: readonly Case[] = [
    ['a message notifies', message({}), group, 'notify'],
    ['a message between two notifies with a sound', message({}), pair, 'sound'],
    ['an encrypted event notifies', message({}, { type: 'm.room.encrypted' }), group, 'notify'],
    ['an encrypted event between two sounds', message({}, { type: 'm.room.encrypted' }), pair, 'sound'],
    ['a notice is silent', message({ msgtype: 'm.notice' }), pair, 'silent'],
    ['an unknown type of event is silent', message({}, { type: 'org.example' }), pair, 'silent'],
    ['a call rings', message({}, { type: 'm.call.invite' }), group, 'ring'],
    ['an invitation of the user sounds', state('m.room.member', { membership: 'invite' }, ME), group, 'sound'],
    [
      'an invitation of somebody else is silent',
      state('m.room.member', { membership: 'invite' }, '@o:x'),
      group,
      'silent',
    ],
    ['a mention is loud', message({ 'm.mentions': { user_ids: ['@o:x', ME] } }), group, 'loud'],
    ['a mention of somebody else is a message', message({ 'm.mentions': { user_ids: ['@o:x'] } }), group, 'notify'],
    [
      'a mention in a notice is silent',
      message({ msgtype: 'm.notice', 'm.mentions': { user_ids: [ME] } }),
      group,
      'silent',
    ],
    ['a room mention by an admin is highlighted', message({ 'm.mentions': { room: true } }), admin, 'highlight'],
    ['a room mention by anybody else is a message', message({ 'm.mentions': { room: true } }), group, 'notify'],
    ['a room mention must be true itself', message({ 'm.mentions': { room: 'true' } }), admin, 'notify'],
    ['a tombstone is highlighted', state('m.room.tombstone'), group, 'highlight'],
    ['a tombstone that is no state is silent', message({}, { type: 'm.room.tombstone' }), group, 'silent'],
    ['a reaction is silent', message({}, { type: 'm.reaction' }), group, 'silent'],
    ['a server ACL is silent', state('m.room.server_acl'), group, 'silent'],
    ['an edit is silent', message({ 'm.relates_to': { rel_type: 'm.replace' } }), pair, 'silent'],
    [
      'an edit that mentions is loud',
      message({ 'm.relates_to': { rel_type: 'm.replace' }, 'm.mentions': { user_ids: [ME] } }),
      pair,
      'loud',
    ],
    ['an event of the user is silent', message({}, { sender: ME }), pair, 'silent'],
    ['a display name has no effect any more', message({ body: 'hi Zoë' }), group, 'notify'],
    ['a poll is silent unless polls have rules', message({}, { type: 'm.poll.start' }), pair, 'silent'],
  ]
  const kindOf = (event: PushEvent, context: PushContext, options?: DefaultRuleOptions): string => {
    const verdict = evaluate(compileRules(defaultRules(ME, options), ME), event, context)
    if (!verdict.notify) return 'silent'
    if (verdict.highlight) return verdict.tweaks.sound === 'default' ? 'loud' : 'highlight'
    return verdict.tweaks.sound === 'ring' ? 'ring' : verdict.tweaks.sound === 'default' ? 'sound' : 'notify'
  }
  for (const [name, event, context, expected] of cases) {
    test(name, () => assert.equal(kindOf(event, context), expected))
  }

  const legacy: DefaultRuleOptions = { polls: true, legacyMentions: true }
  const switched: readonly Case[] = [
    ['with legacy rules a display name is loud', message({ body: 'hi ZOË!' }), group, 'loud'],
    ['with legacy rules part of a display name is nothing', message({ body: 'Zoëxy' }), group, 'notify'],
    ['with legacy rules the localpart is loud', message({ body: 'hey Me' }), group, 'loud'],
    ['with legacy rules @room by an admin is highlighted', message({ body: 'now @room' }), admin, 'highlight'],
    ['with legacy rules m.mentions says it all', message({ body: 'hi Zoë @room', 'm.mentions': {} }), admin, 'notify'],
    ['with poll rules a poll sounds between two', message({}, { type: 'm.poll.start' }), pair, 'sound'],
    ['with poll rules the end of a poll notifies', message({}, { type: 'm.poll.end' }), group, 'notify'],
    ['with poll rules an answer is silent', message({}, { type: 'm.poll.response' }), pair, 'silent'],
    [
      'with poll rules an unstable poll notifies',
      message({}, { type: 'org.matrix.msc3381.poll.start' }),
      group,
      'notify',
    ],
  ]
  for (const [name, event, context, expected] of switched) {
    test(name, () => assert.equal(kindOf(event, context, legacy), expected))
  }
})

describe('a set of rules', () => {
  const rule = (ruleId: string, more: Partial<PushRule> = {}): PushRule => ({
    ruleId,
    isDefault: false,
    isEnabled: true,
    actions: [ruleId],
    conditions: [],
    pattern: undefined,
    ...more,
  })
  const first = (rules: Partial<Record<PushRuleKind, readonly PushRule[]>>): Json | undefined =>
    evaluate(compileRules({ ...emptyRuleset, ...rules }, ME), message({ body: 'tea time' }), group).actions[0]

  test('kinds are asked in their order', () => {
    const all = {
      underride: [rule('under')],
      sender: [rule('@alice:x')],
      room: [rule('!room:x')],
      content: [rule('word', { pattern: 'tea' })],
      override: [rule('over')],
    }
    assert.equal(first(all), 'over')
    assert.equal(first({ ...all, override: [] }), 'word')
    assert.equal(first({ ...all, override: [], content: [] }), '!room:x')
    assert.equal(first({ ...all, override: [], content: [], room: [rule('!other:x')] }), '@alice:x')
    assert.equal(first({ ...all, override: [], content: [], room: [], sender: [rule('@bob:x')] }), 'under')
  })
  test('of one kind the first that matches decides', () => {
    assert.equal(first({ content: [rule('time', { pattern: 'time' }), rule('tea', { pattern: 'tea' })] }), 'time')
  })
  test('a disabled rule never matches', () => {
    assert.equal(first({ override: [rule('off', { isEnabled: false }), rule('on')] }), 'on')
  })
  test('a rule with an unknown condition never matches', () => {
    assert.equal(first({ override: [rule('odd', { conditions: [{ kind: 'odd' }] }), rule('on')] }), 'on')
  })
  test('where no rule matches nothing happens', () => {
    assert.equal(first({}), undefined)
    const nothing = { notify: false, highlight: false, tweaks: {}, actions: [] }
    assert.deepEqual(evaluate(compileRules(emptyRuleset, ME), message({}), group), nothing)
    assert.deepEqual(evaluate(compileRules(defaultRules(ME), ME), message({}, { sender: ME }), group), nothing)
  })
  test('tweaks are passed on and highlight is true by default', () => {
    const actions: Json[] = ['notify', { set_tweak: 'highlight' }, { set_tweak: 'light', value: [1] }, 'dont_notify', 7]
    const verdict = evaluate(
      compileRules({ ...emptyRuleset, override: [rule('x', { actions })] }, ME),
      message({}),
      group,
    )
    assert.deepEqual(verdict.tweaks, { highlight: true, light: [1] })
    assert.equal(verdict.highlight, true)
    assert.ok(!verdict.actions.includes('dont_notify'))
  })
  test('a highlight without a notification is none', () => {
    const actions: Json[] = [{ set_tweak: 'highlight' }]
    const rules = compileRules({ ...emptyRuleset, override: [rule('x', { actions })] }, ME)
    assert.equal(evaluate(rules, message({}), group).highlight, false)
  })
  test('no conditions, actions or content make evaluation throw', () => {
    fc.assert(
      fc.property(
        fc.array(anyJson),
        fc.array(anyJson),
        anyJsonObject,
        fc.string(),
        (conditions, actions, content, pattern) => {
          const rules = {
            ...emptyRuleset,
            override: [rule('x', { conditions, actions })],
            content: [rule('y', { pattern })],
          }
          const event = new PushEvent(roomEvent({ content }))
          evaluate(compileRules(rules, ME), event, group)
          evaluate(compileRules(defaultRules(ME, { polls: true, legacyMentions: true }), ME), event, group)
          mentionedUsers(event.event)
        },
      ),
    )
  })
})

describe('the verdict shared by members with untouched rules', () => {
  const shared = compileSharedRules()
  test('it is what their own default rules would say, for every event', () => {
    const users = fc.subarray(['@a:x', '@b:x', ME])
    const contents = fc.record(
      {
        body: fc.constant('hello'),
        msgtype: fc.constantFrom('m.text', 'm.notice'),
        'm.mentions': fc.record({ user_ids: users, room: fc.boolean() }, { requiredKeys: [] }),
        'm.relates_to': fc.record({ rel_type: fc.constantFrom('m.replace', 'm.thread') }),
        membership: fc.constantFrom('join', 'invite'),
      },
      { requiredKeys: [] },
    )
    const types = fc.constantFrom(
      'm.room.message',
      'm.room.encrypted',
      'm.room.member',
      'm.reaction',
      'm.room.tombstone',
    )
    fc.assert(
      fc.property(
        contents,
        types,
        fc.constantFrom(undefined, '', '@a:x'),
        fc.constantFrom(1, 2, 3),
        fc.constantFrom(0, 50),
        (content, type, stateKey, memberCount, senderPower) => {
          const event = new PushEvent(roomEvent({ content: content as JsonObject, type, stateKey }))
          const context = { ...group, memberCount, senderPower }
          const isMentioned = mentionedUsers(event.event).includes(ME)
          assert.deepEqual(
            sharedVerdict(shared, event, { ...context, isMentioned }),
            evaluate(compileRules(defaultRules(ME), ME), event, context),
          )
        },
      ),
    )
  })
  test('mentioned users are listed once, and only text counts', () => {
    const event = roomEvent({ content: { 'm.mentions': { user_ids: [ME, 7, ME, null, '@a:x'] } } })
    assert.deepEqual(mentionedUsers(event), [ME, '@a:x'])
    assert.deepEqual(mentionedUsers(roomEvent({ content: { 'm.mentions': { user_ids: 'x' } } })), [])
  })
})
