import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { anyJsonObject, rulesOf } from '#protocol/event-builder.testing.ts'
import { parseUserId } from '#protocol/identifiers.ts'
import { RawNumber } from '#protocol/raw-number.ts'
import { readJson } from '#protocol/read-json.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { signText } from '#protocol/signing/signing-key.ts'
import { isRefusal } from '#util/verdict.ts'
import { buildEvent, type EventTemplate } from './build.ts'
import { depthAfter, maxDepth, writeDepth } from './depth.ts'
import { createEventIdOf, eventIdOf, referenceTo, roomIdOfCreate } from './event-id.ts'
import { readEvent } from './format.ts'
import { essentialJson, referenceHash } from './hashes.ts'
import {
  built,
  builtCreate,
  reference,
  roomIdOf,
  signerOf,
  eventIdOf as someEventId,
  templateOf,
} from './signed-event.testing.ts'

const refuses = (version: string, draft: Partial<EventTemplate>, rule: string) => {
  const result = buildEvent(templateOf(version, draft), signerOf(version))
  assert.ok(isRefusal(result), `version ${version} should refuse ${Object.keys(draft)}`)
  assert.equal(result.rule, rule)
}

test('what is built is canonical and read back as the same event', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...roomVersions),
      anyJsonObject,
      fc.option(fc.string(), { nil: undefined }),
      (version, content, stateKey) => {
        const result = buildEvent(templateOf(version, { content, stateKey }), signerOf(version))
        if (isRefusal(result)) return assert.equal(result.rule, 'canonical_json')
        const { json } = result
        const { signingKey, serverName } = signerOf(version)
        assert.equal(json, canonicalJson(result.event.pdu))
        assert.deepEqual(result.event.pdu['signatures'], {
          [serverName]: { [signingKey.keyId]: signText(essentialJson(result.event.pdu, rulesOf(version)), signingKey) },
        })
        const pdu = readJson(json)
        assert.ok(pdu.ok)
        const event = readEvent(pdu.value, rulesOf(version))
        assert.ok(!isRefusal(event))
        assert.equal(event.eventId, result.event.eventId)
        assert.equal(canonicalJson(event.pdu), json)
      },
    ),
  )
})

test('content that the version does not allow is refused', () => {
  for (const version of roomVersions) {
    refuses(version, { content: { body: '\ud800' } }, 'canonical_json')
    if (Number(version) >= 6) refuses(version, { content: { a: 0.5 } }, 'canonical_json')
    else built(version, { content: { a: 0.5 } })
    if (Number(version) >= 6) refuses(version, { originServerTs: 0.5 }, 'canonical_json')
  }
})

test('what is too big is refused', () => {
  for (const version of roomVersions) {
    const size = Buffer.byteLength(built(version, { content: { body: '' } }).json)
    const body = 'x'.repeat(65_536 - size)
    assert.equal(built(version, { content: { body } }).json.length, 65_536)
    refuses(version, { content: { body: `${body}x` } }, 'size')
    refuses(version, { type: 'ä'.repeat(128) }, 'size')
    refuses(version, { stateKey: 'ä'.repeat(128) }, 'size')
  }
})

test('a template that lacks an ID, or has too many references, is refused', () => {
  for (const version of roomVersions) {
    const references = (length: number) => Array.from({ length }, () => reference(version))
    refuses(version, { prevEvents: references(21) }, 'format')
    refuses(version, { authEvents: references(11) }, 'format')
    refuses(version, { roomId: undefined }, 'format')
    if (Number(version) < 3) refuses(version, { eventId: undefined }, 'format')
    else built(version, { eventId: undefined })
    const create = { type: 'm.room.create', stateKey: '' }
    if (version === '12') refuses(version, { ...create, roomId: roomIdOf(version) }, 'format')
    else refuses(version, { ...create, roomId: undefined }, 'format')
  }
})

test('an event has the fields of its version and no others', () => {
  for (const version of roomVersions) {
    const common = [
      'auth_events',
      'content',
      'depth',
      'hashes',
      'origin_server_ts',
      'prev_events',
      'room_id',
      'sender',
      'signatures',
      'type',
    ]
    const expected = Number(version) < 3 ? [...common, 'event_id'] : common
    assert.deepEqual(Object.keys(built(version).event.pdu).toSorted(), expected.toSorted())
    assert.deepEqual(Object.keys(built(version).event.pdu['signatures'] ?? {}), ['x'])
  }
})

test('the ID of an event is its reference hash from version 3', () => {
  for (const version of roomVersions) {
    const { event } = built(version)
    assert.equal(eventIdOf(event.pdu, rulesOf(version)), event.eventId)
    if (Number(version) < 3) assert.equal(event.eventId, someEventId(version))
    else if (version === '3') assert.equal(event.eventId, `$${referenceHash(event.pdu, rulesOf(version))}`)
    else assert.equal(event.eventId, `$${referenceHash(event.pdu, rulesOf(version), 'base64url')}`)
  }
})

test('an event is named by ID, in versions 1 and 2 with its hash', () => {
  for (const version of roomVersions) {
    const { event } = built(version)
    const hash = { sha256: referenceHash(event.pdu, rulesOf(version)) }
    const next = built(version, { prevEvents: [referenceTo(event, rulesOf(version))] }).event
    assert.deepEqual(next.prevEvents, [event.eventId])
    assert.deepEqual(next.pdu['prev_events'], [Number(version) < 3 ? [event.eventId, hash] : event.eventId])
  }
})

test('the ID of a room from version 12 is that of its create event', () => {
  const { event } = builtCreate('12')
  assert.equal(roomIdOfCreate(event.eventId), event.roomId)
  assert.equal(createEventIdOf(event.roomId), event.eventId)
})

test('the depth grows up to the limit and stays there', () => {
  assert.equal(depthAfter([], rulesOf('12')), 1)
  assert.equal(depthAfter([1, 5, 3], rulesOf('12')), 6)
  for (const version of roomVersions) {
    const limit = Number(version) < 6 ? 2 ** 63 : 2 ** 53 - 1
    assert.equal(maxDepth(rulesOf(version)), limit)
    assert.equal(depthAfter([limit], rulesOf(version)), limit)
    assert.equal(depthAfter([limit - 2048], rulesOf(version)), Number(version) < 6 ? limit - 2048 : limit - 2047)
  }
  assert.equal(writeDepth(7), 7)
  assert.deepEqual(writeDepth(2 ** 53), new RawNumber('9007199254740992'))
  const { event, json } = built('5', { depth: maxDepth(rulesOf('5')) })
  assert.match(json, /"depth":9223372036854775807,/)
  assert.equal(event.depth, maxDepth(rulesOf('5')))
})

test('a historical sender can send', () => {
  const sender = parseUserId('@Ä ö:x') ?? assert.fail()
  assert.equal(built('12', { sender }).event.sender, sender)
})
