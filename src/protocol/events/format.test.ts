import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyJson, anyJsonObject, rulesOf } from '#protocol/event-builder.testing.ts'
import { RawNumber } from '#protocol/raw-number.ts'
import { readJson } from '#protocol/read-json.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import type { Json, JsonObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'
import { readEvent } from './format.ts'
import { built, builtCreate, eventIdOf, reference, roomIdOf } from './signed-event.testing.ts'

const from = (first: number, last = 12) =>
  roomVersions.filter((version) => Number(version) >= first && Number(version) <= last)
const base = (version: string): JsonObject => built(version).event.pdu
const read = (pdu: unknown, version: string) => readEvent(pdu, rulesOf(version))
const accepts = (pdu: unknown, version: string) => {
  const event = read(pdu, version)
  assert.ok(!isRefusal(event), `version ${version}: ${JSON.stringify(event)}`)
  return event
}
const refuses = (pdu: unknown, version: string, rule = 'format') => {
  const event = read(pdu, version)
  assert.ok(isRefusal(event), `version ${version} should refuse ${JSON.stringify(pdu).slice(0, 300)}`)
  assert.equal(event.rule, rule)
}
const without = (pdu: JsonObject, key: string): JsonObject => {
  const { [key]: _, ...rest } = pdu
  return rest
}
const text = (source: string): Json => {
  const result = readJson(source)
  assert.ok(result.ok)
  return result.value
}

test('an event of each version is read as what it says', () => {
  for (const version of roomVersions) {
    const { event, json } = built(version, { type: 'm.room.topic', stateKey: '', content: { topic: 'T' } })
    assert.deepEqual(accepts(JSON.parse(json), version), event)
    assert.equal(event.eventId === eventIdOf(version), Number(version) < 3)
  }
})

test('a field that must be there, or be of a type, is missed', () => {
  const wrong: Record<string, readonly Json[]> = {
    type: [1, null, 'ä'.repeat(128)],
    sender: [1, 'alice', '@alice', '@alice:x y', `@${'a'.repeat(253)}:x`],
    content: [1, [], 'x', null],
    hashes: [1, {}, { sha256: 1 }, []],
    signatures: [1, [], { x: 1 }, { x: { k: 1 } }, { x: [] }, { x: { k: 's' }, y: 1 }, { x: { k: 's', l: 1 } }],
    depth: ['1', null, -1, {}],
    origin_server_ts: ['1', null, {}],
    prev_events: [1, {}, 'x', [1], [null], [['$a:x']], [{}], ['x']],
    auth_events: [1, {}, 'x', [1], [null], [['$a:x', 1]], [['$a:x', {}, {}]], ['x']],
  }
  for (const version of roomVersions) {
    for (const [key, values] of Object.entries(wrong)) {
      refuses(without(base(version), key), version)
      for (const value of values) refuses({ ...base(version), [key]: value }, version)
    }
  }
})

test('a field that may be missing must be right where it stands', () => {
  for (const version of roomVersions) {
    for (const value of [1, null, {}, 'ä'.repeat(128)]) refuses({ ...base(version), state_key: value }, version)
    for (const value of [1, null, []]) refuses({ ...base(version), unsigned: value }, version)
    assert.equal(accepts({ ...base(version), state_key: '' }, version).stateKey, '')
    assert.equal(accepts({ ...base(version), state_key: 'ä'.repeat(127) }, version).stateKey, 'ä'.repeat(127))
    accepts({ ...base(version), unsigned: { age: 1 } }, version)
  }
})

test('references are pairs in versions 1 and 2, else plain IDs', () => {
  for (const version of roomVersions) {
    const isPair = Number(version) < 3
    const pair = ['$a:x', { sha256: 'x' }]
    const event = { ...base(version), prev_events: [isPair ? pair : '$a:x'] }
    assert.deepEqual(accepts(event, version).prevEvents, ['$a:x'])
    refuses({ ...event, prev_events: [isPair ? '$a:x' : pair] }, version)
  }
})

test('there are at most 20 previous events and 10 auth events, but for old ones that are fetched', () => {
  for (const version of roomVersions) {
    const events = (length: number) => Array.from({ length }, () => reference(version))
    const isFull = { ...base(version), prev_events: events(20), auth_events: events(10) }
    accepts(isFull, version)
    for (const more of [{ prev_events: events(21) }, { auth_events: events(11) }]) {
      refuses({ ...isFull, ...more }, version)
      assert.ok(!isRefusal(readEvent({ ...isFull, ...more }, rulesOf(version), { anyReferenceCount: true })))
    }
  }
})

test('the depth goes up to 2^53 - 1 from version 6, before to 2^63 - 1', () => {
  for (const version of roomVersions) {
    const withDepth = (source: string) => ({ ...base(version), depth: text(source) })
    accepts(withDepth('0'), version)
    assert.equal(accepts(withDepth('9007199254740991'), version).depth, Number.MAX_SAFE_INTEGER)
    const isStrict = Number(version) >= 6
    for (const source of ['9007199254740992', '9223372036854775807']) {
      if (isStrict) refuses(withDepth(source), version, 'canonical_json')
      else assert.equal(accepts(withDepth(source), version).depth, Number(source))
    }
    for (const source of ['9223372036854775808', '1.0', '1e3', '-9007199254740993']) {
      refuses(withDepth(source), version, isStrict ? 'canonical_json' : 'format')
    }
  }
})

test('before version 6 a time may be a large integer, and the content hold any number', () => {
  const pdu = { ...base('5'), origin_server_ts: text('9007199254740993'), content: text('{"a":1.5,"b":1e400}') }
  const event = accepts(pdu, '5')
  assert.equal(event.originServerTs, 2 ** 53)
  assert.deepEqual(event.content['a'], new RawNumber('1.5'))
  refuses(pdu, '6', 'canonical_json')
  refuses({ ...pdu, origin_server_ts: text('1.5') }, '5')
})

test('a number is no object', () => {
  for (const key of ['content', 'unsigned', 'hashes', 'signatures']) refuses({ ...base('1'), [key]: text('1.5') }, '1')
  refuses(text('1.5'), '1')
})

test('an event has at most 65536 bytes as canonical JSON', () => {
  for (const version of roomVersions) {
    const size = Buffer.byteLength(JSON.stringify({ ...base(version), content: { body: '' } }))
    const withBody = (bytes: number) => ({ ...base(version), content: { body: `ä${'x'.repeat(bytes - size - 2)}` } })
    accepts(withBody(65_536), version)
    refuses(withBody(65_537), version, 'size')
  }
})

test('a lone surrogate is refused', () => {
  for (const version of roomVersions)
    refuses({ ...base(version), content: { body: '\ud800' } }, version, 'canonical_json')
})

test('in versions 1 and 2 an event carries its ID, later the ID is its hash', () => {
  for (const version of from(1, 2)) {
    assert.equal(accepts({ ...base(version), event_id: '$any:z' }, version).eventId, '$any:z')
    refuses(without(base(version), 'event_id'), version)
    for (const eventId of [1, 'any:z', '$any', `$${'a'.repeat(253)}:z`])
      refuses({ ...base(version), event_id: eventId }, version)
  }
  assert.match(accepts(base('3'), '3').eventId, /^\$[A-Za-z0-9+/]{43}$/)
  for (const version of from(4)) assert.match(accepts(base(version), version).eventId, /^\$[A-Za-z0-9_-]{43}$/)
})

test('up to version 11 a room ID names a server', () => {
  for (const version of from(1, 11)) {
    refuses(without(base(version), 'room_id'), version)
    for (const roomId of [1, '!x', roomIdOf('12'), '#a:x']) refuses({ ...base(version), room_id: roomId }, version)
    assert.equal(builtCreate(version).event.roomId, '!room:x')
  }
})

test('in version 12 the create event makes the room ID, and all others carry it', () => {
  const { event, json } = builtCreate('12')
  assert.equal(Object.hasOwn(event.pdu, 'room_id'), false)
  assert.equal(event.roomId, `!${event.eventId.slice(1)}`)
  assert.deepEqual(accepts(JSON.parse(json), '12'), event)
  refuses(without(base('12'), 'room_id'), '12')
  refuses({ ...base('12'), room_id: '!room:x' }, '12')
  refuses({ ...event.pdu, room_id: 1 }, '12')
  refuses({ ...event.pdu, state_key: 'x' }, '12')
  assert.equal(accepts({ ...event.pdu, room_id: roomIdOf('12') }, '12').roomId, roomIdOf('12'))
})

test('what a redaction names stands at the top, from version 11 in the content', () => {
  for (const version of roomVersions) {
    const redacts = eventIdOf(version, 'other')
    const { event } = built(version, { type: 'm.room.redaction', redacts })
    assert.equal(event.redacts, redacts)
    assert.deepEqual(accepts(event.pdu, version).redacts, redacts)
    const elsewhere = Number(version) < 11 ? { content: { redacts } } : { redacts }
    assert.equal(accepts({ ...base(version), type: 'm.room.redaction', ...elsewhere }, version).redacts, undefined)
    assert.equal(accepts({ ...base(version), redacts }, version).redacts, undefined)
    if (Number(version) < 11) refuses({ ...base(version), redacts: 1 }, version)
    else assert.equal(accepts({ ...event.pdu, content: { redacts: 1 } }, version).redacts, undefined)
  }
})

test('nothing is read of what is no event', () => {
  fc.assert(
    fc.property(anyJson, fc.constantFrom(...roomVersions), (value, version) =>
      assert.ok(isRefusal(read(value, version))),
    ),
  )
})

test('an event with anything in place of anything is read or refused', () => {
  const keys = [...Object.keys(base('1')), 'unsigned', 'redacts', 'state_key', '__proto__']
  fc.assert(
    fc.property(
      fc.constantFrom(...roomVersions),
      fc.constantFrom(...keys),
      anyJson,
      anyJsonObject,
      (version, key, value, more) => {
        const event = read({ ...more, ...base(version), [key]: value }, version)
        if (!isRefusal(event)) assert.match(event.eventId, /^\$/)
      },
    ),
  )
})
