import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { roomEvent, rulesOf } from '#protocol/event-builder.testing.ts'
import { type PowerLevels, readPowerLevels } from '#protocol/power-levels.ts'
import type { Json, JsonObject } from '#util/json.ts'
import { compileCondition, type PushContext } from './conditions.ts'
import { PushEvent } from './push-event.ts'

const levels = readPowerLevels({}, rulesOf('11')) as PowerLevels
const group: PushContext = { memberCount: 7, senderPower: 0, powerLevels: levels, displayName: 'Zoë' }
const message = (content: JsonObject) => new PushEvent(roomEvent({ content: { msgtype: 'm.text', ...content } }))

describe('conditions', () => {
  const event = new PushEvent(
    roomEvent({
      type: 'm.room.Topic',
      stateKey: '',
      content: {
        topic: 'Lunch plans',
        body: 'An example event.',
        n: 1,
        f: false,
        z: null,
        list: ['a', 1, null, {}, 1.5],
        fraction: 1.5,
        o: {},
        'm.a\\b': 'x',
      },
    }),
  )
  const cases: readonly (readonly [string, Json, boolean])[] = [
    [
      'a glob matches a whole value whatever its case',
      { kind: 'event_match', key: 'content.topic', pattern: 'LUNC?*' },
      true,
    ],
    ['a glob must match the whole value', { kind: 'event_match', key: 'content.topic', pattern: 'lunch' }, false],
    ['a glob matches a word of the body', { kind: 'event_match', key: 'content.body', pattern: 'ex*ple' }, true],
    ['a glob never matches what is no text', { kind: 'event_match', key: 'content.n', pattern: '*' }, false],
    ['a glob never matches what is absent', { kind: 'event_match', key: 'content.x', pattern: '*' }, false],
    ['an empty pattern matches an empty state key', { kind: 'event_match', key: 'state_key', pattern: '' }, true],
    ['a type is matched like any text', { kind: 'event_match', key: 'type', pattern: 'm.room.topic' }, true],
    ['a glob without pattern never matches', { kind: 'event_match', key: 'type' }, false],
    ['a room ID is a property', { kind: 'event_match', key: 'room_id', pattern: '!room:x' }, true],
    ['a time is a property', { kind: 'event_property_is', key: 'origin_server_ts', value: 0 }, true],
    ['a value is compared exactly', { kind: 'event_property_is', key: 'content.n', value: 1 }, true],
    ['a number is no text', { kind: 'event_property_is', key: 'content.n', value: '1' }, false],
    ['false is a value', { kind: 'event_property_is', key: 'content.f', value: false }, true],
    ['null is a value', { kind: 'event_property_is', key: 'content.z', value: null }, true],
    ['what is absent is not null', { kind: 'event_property_is', key: 'content.x', value: null }, false],
    ['an object is never a value', { kind: 'event_property_is', key: 'content.o', value: {} }, false],
    ['a fraction is never a value', { kind: 'event_property_is', key: 'content.fraction', value: 1.5 }, false],
    ['a fraction is never in a list', { kind: 'event_property_contains', key: 'content.list', value: 1.5 }, false],
    ['true is not false', { kind: 'event_property_is', key: 'content.f', value: true }, false],
    ['escaped names are found', { kind: 'event_property_is', key: 'content.m\\.a\\\\b', value: 'x' }, true],
    ['a list contains a value', { kind: 'event_property_contains', key: 'content.list', value: 1 }, true],
    ['a list contains null', { kind: 'event_property_contains', key: 'content.list', value: null }, true],
    [
      'a list does not contain part of a value',
      { kind: 'event_property_contains', key: 'content.list', value: '' },
      false,
    ],
    ['text contains nothing', { kind: 'event_property_contains', key: 'content.topic', value: 'L' }, false],
    ['a member count without operator is exact', { kind: 'room_member_count', is: '7' }, true],
    ['a member count may be compared', { kind: 'room_member_count', is: '<=7' }, true],
    ['less is strictly less', { kind: 'room_member_count', is: '<7' }, false],
    ['more is strictly more', { kind: 'room_member_count', is: '>6' }, true],
    ['at least includes the number', { kind: 'room_member_count', is: '>=7' }, true],
    ['at least needs as many', { kind: 'room_member_count', is: '>=8' }, false],
    ['at most needs as few', { kind: 'room_member_count', is: '<=6' }, false],
    ['less than a greater number is less', { kind: 'room_member_count', is: '<8' }, true],
    ['as many are not more', { kind: 'room_member_count', is: '>7' }, false],
    ['another count is not equal', { kind: 'room_member_count', is: '==8' }, false],
    ['two equals signs mean equal', { kind: 'room_member_count', is: '==7' }, true],
    ['a member count must be a number', { kind: 'room_member_count', is: '< 7' }, false],
    ['a member count as number never matches', { kind: 'room_member_count', is: 7 }, false],
    ['a sender without power may not notify', { kind: 'sender_notification_permission', key: 'room' }, false],
    ['a notification of any name takes power', { kind: 'sender_notification_permission', key: 'org.example' }, false],
    ['a display name is no part of this body', { kind: 'contains_display_name' }, false],
    ['an unknown condition never matches', { kind: 'org.example' }, false],
    ['a condition without kind never matches', {}, false],
    ['what is no object never matches', null, false],
  ]
  for (const [name, condition, expected] of cases) {
    test(name, () => assert.equal(compileCondition(condition)(event, group), expected))
  }
  test('identifiers are those that the room version gives, not those of the wire', () => {
    const wire = { unsigned: { age: 7 }, origin: 'x' }
    const draft = { eventId: '$hash', roomId: '!hash', type: 't', sender: '@s:x', stateKey: 'k', content: { a: 'c' } }
    const bare = new PushEvent({ ...roomEvent(draft), pdu: wire })
    const isMatch = (key: string, pattern: string) =>
      compileCondition({ kind: 'event_match', key, pattern })(bare, group)
    const known = { event_id: '$hash', room_id: '!hash', type: 't', sender: '@s:x', state_key: 'k', 'content.a': 'c' }
    for (const [key, value] of Object.entries({ ...known, origin: 'x' })) {
      assert.ok(isMatch(key, value), key)
      assert.ok(!isMatch(`${key}.x`, '*'), `${key}.x`)
    }
    assert.ok(compileCondition({ kind: 'event_property_is', key: 'unsigned.age', value: 7 })(bare, group))
  })
  test('no display name, one without end, and no body never match', () => {
    const named = compileCondition({ kind: 'contains_display_name' })
    const endless = 'a'.repeat(30_000)
    assert.equal(named(message({ body: endless }), { ...group, displayName: endless }), false)
    const [long, tooLong] = ['a'.repeat(512), 'a'.repeat(513)]
    assert.equal(named(message({ body: `hi ${long}` }), { ...group, displayName: long }), true)
    assert.equal(named(message({ body: `hi ${tooLong}` }), { ...group, displayName: tooLong }), false)
    assert.equal(named(event, { ...group, displayName: '' }), false)
    assert.equal(named(event, { ...group, displayName: undefined }), false)
    assert.equal(named(new PushEvent(roomEvent({})), group), false)
  })
})
