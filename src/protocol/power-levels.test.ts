import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '#util/json.ts'
import { anyJsonObject, roomEvent, rulesOf } from './event-builder.testing.ts'
import { creatorsOf, notificationPower, powerOf, readLevel, readPowerLevels, requiredPower } from './power-levels.ts'
import { RawNumber } from './raw-number.ts'
import { roomVersions } from './room-versions.ts'

const levelsOf = (content: Parameters<typeof readPowerLevels>[0], version = '11') => {
  const levels = readPowerLevels(content, rulesOf(version))
  assert.ok(!('ok' in levels), 'the content should be readable')
  return levels
}
const refusalOf = (content: unknown, version: string): string | undefined => {
  const levels = readPowerLevels(content as Parameters<typeof readPowerLevels>[0], rulesOf(version))
  return 'ok' in levels ? levels.rule : undefined
}

describe('a single level', () => {
  const cases: readonly (readonly [string, unknown, string, number | undefined])[] = [
    ['a whole number is itself everywhere', 50, '12', 50],
    ['negative zero is zero', -0, '11', 0],
    ['text is read before version 10', ' +0050 ', '9', 50],
    ['negative text is read before version 10', '\t-100\n', '6', -100],
    ['text is not read from version 10', '50', '10', undefined],
    ['text with a decimal point is never a level', '50.5', '1', undefined],
    ['text with an exponent is never a level', '5e1', '1', undefined],
    ['empty text is never a level', '', '1', undefined],
    ['a blank between sign and digits is never a level', '+ 5', '1', undefined],
    ['a fraction is cut off before version 6', 50.57, '5', 50],
    ['a negative fraction is cut off towards zero', -0.9, '5', 0],
    ['a raw fraction is cut off before version 6', new RawNumber('5.114698E4'), '3', 51146],
    ['a raw number beyond doubles is no level', new RawNumber('1e400'), '3', undefined],
    ['a raw number is no level from version 6', new RawNumber('5.0'), '6', undefined],
    ['a large integer is a level before version 6', new RawNumber('9223372036854775807'), '1', 2 ** 63],
    ['infinity is no level', Number.POSITIVE_INFINITY, '1', undefined],
    ['an integer out of range is no level', 2 ** 53, '6', undefined],
    ['text out of range is no level from version 6', '9007199254740992', '6', undefined],
    ['a boolean is no level', true, '1', undefined],
    ['null is no level', null, '1', undefined],
    ['an object is no level', { source: '5' }, '1', undefined],
  ]
  for (const [name, value, version, expected] of cases) {
    test(name, () => assert.equal(readLevel(value, rulesOf(version)), expected))
  }
})

describe('power levels', () => {
  test('an empty event gives the defaults of the specification', () => {
    const levels = levelsOf({})
    assert.deepEqual(
      [levels.ban, levels.kick, levels.redact, levels.invite, levels.stateDefault, levels.eventsDefault],
      [50, 50, 50, 0, 50, 0],
    )
    assert.equal(levels.usersDefault, 0)
    assert.equal(notificationPower('room', levels), 50)
  })
  test('what the event says replaces the defaults', () => {
    const levels = levelsOf({
      ban: 1,
      state_default: 7,
      events: { 'm.room.name': 3 },
      notifications: { room: 9 },
      users_default: 4,
    })
    assert.equal(levels.ban, 1)
    assert.equal(requiredPower('m.room.name', true, levels), 3)
    assert.equal(requiredPower('m.room.topic', true, levels), 7)
    assert.equal(requiredPower('m.room.message', false, levels), 0)
    assert.equal(notificationPower('room', levels), 9)
    assert.equal(levels.usersDefault, 4)
  })
  test('a user named __proto__ is a user like any other', () => {
    const content = JSON.parse('{"users":{"__proto__":7}}')
    assert.equal(levelsOf(content).users.get('__proto__'), 7)
  })
  const refusals: readonly (readonly [string, unknown, string, string | undefined])[] = [
    ['from version 10 a level as text is refused by rule 9.1', { ban: '50' }, '10', '9.1'],
    ['from version 10 a null level is refused by rule 9.1', { ban: null }, '11', '9.1'],
    ['version 12 counts the same rule as 10.1', { ban: '50' }, '12', '10.1'],
    ['from version 10 events that are no object are refused by rule 9.2', { events: [] }, '10', '9.2'],
    ['from version 10 a notification level as text is refused', { notifications: { room: '1' } }, '10', '9.2'],
    ['from version 10 users with text are refused by rule 9.3', { users: { '@a:b': '1' } }, '10', '9.3'],
    ['users that are no object are refused everywhere', { users: null }, '6', '9.1'],
    ['in version 1 the rule for users is 10.1', { users: { '@a:b': {} } }, '1', '10.1'],
    ['before version 10 a null level counts as absent', { ban: null, events: { x: null } }, '9', undefined],
    ['before version 10 a level that is an object is refused', { ban: {} }, '9', 'power_levels_format'],
    ['before version 6 nobody minds odd notifications', { notifications: { room: {} } }, '5', undefined],
    ['before version 6 nobody minds notifications that are no object', { notifications: 7 }, '5', undefined],
    ['from version 6 odd notifications are refused', { notifications: { room: {} } }, '6', 'power_levels_format'],
    ['a raw number is no map', { events: new RawNumber('1.5') }, '1', 'power_levels_format'],
  ]
  for (const [name, content, version, rule] of refusals) {
    test(name, () => assert.equal(refusalOf(content, version), rule))
  }
  test('a refusal says what was expected, and what came', () => {
    const shown: readonly (readonly [unknown, string])[] = [
      ['50', 'a string'],
      [true, 'a boolean'],
      [null, 'null'],
      [[], 'an array'],
      [{}, 'an object'],
      [1.5, 'a number'],
      [new RawNumber('1e400'), 'a number out of range'],
    ]
    for (const [value, kind] of shown) {
      const levels = readPowerLevels({ ban: value } as JsonObject, rulesOf('12'))
      assert.equal('ok' in levels && levels.reason, `ban must be an integer, not ${kind}`)
    }
  })
  test('no JSON makes reading throw', () => {
    fc.assert(
      fc.property(anyJsonObject, fc.constantFrom(...roomVersions), (content, version) => {
        readPowerLevels(content, rulesOf(version))
        readPowerLevels({ users: content, events: content, notifications: content }, rulesOf(version))
      }),
    )
  })
})

describe('the power of a user', () => {
  const create = (content: JsonObject) =>
    roomEvent({ type: 'm.room.create', stateKey: '', sender: '@maker:x', content })

  test('the creator stands at 100 without a power levels event', () => {
    const state = { create: create({ creator: '@maker:x' }), powerLevels: undefined }
    assert.equal(powerOf('@maker:x', state, rulesOf('9')), 100)
    assert.equal(powerOf('@other:x', state, rulesOf('9')), 0)
    const read = { ...state, powerLevels: levelsOf(undefined, '9') }
    assert.equal(powerOf('@maker:x', read, rulesOf('9')), 100)
  })
  test('the creator is whoever the content names before version 11', () => {
    const named = create({ creator: '@named:x' })
    assert.deepEqual(creatorsOf(named, rulesOf('10')), ['@named:x'])
    assert.deepEqual(creatorsOf(named, rulesOf('11')), ['@maker:x'])
    assert.deepEqual(creatorsOf(create({}), rulesOf('1')), [])
  })
  test('a power levels event puts the creator on the same list as all before version 12', () => {
    const state = { create: create({}), powerLevels: levelsOf({ users_default: 3 }) }
    assert.equal(powerOf('@maker:x', state, rulesOf('11')), 3)
  })
  test('creators stand above all levels in version 12', () => {
    const content = { additional_creators: ['@second:x', '@maker:x', 7, '@second:x'] }
    const state = { create: create(content), powerLevels: levelsOf({ users: { '@maker:x': 1 } }, '12') }
    assert.deepEqual(creatorsOf(state.create, rulesOf('12')), ['@maker:x', '@second:x'])
    assert.equal(powerOf('@maker:x', state, rulesOf('12')), Number.POSITIVE_INFINITY)
    assert.equal(powerOf('@second:x', state, rulesOf('12')), Number.POSITIVE_INFINITY)
    assert.equal(powerOf('@third:x', state, rulesOf('12')), 0)
  })
  test('odd additional creators are nobody', () => {
    assert.deepEqual(creatorsOf(create({ additional_creators: 'x' }), rulesOf('12')), ['@maker:x'])
  })
  test('without a create event nobody is a creator', () => {
    assert.equal(powerOf('@a:x', { create: undefined, powerLevels: undefined }, rulesOf('12')), 0)
  })
})
