import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from '#protocol/canonical-json.ts'
import { anyJson, anyJsonObject, rulesOf } from '#protocol/event-builder.testing.ts'
import { eventIdOf } from '#protocol/events/event-id.ts'
import { contentHash, hasValidContentHash, referenceHash } from '#protocol/events/hashes.ts'
import { redact } from '#protocol/events/redact.ts'
import { hashAndSignEvent, neededKeys, verifyEvent } from '#protocol/events/signatures.ts'
import { signerOf } from '#protocol/events/signed-event.testing.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import { verifyJson } from '#protocol/signing/verify-json.ts'
import { authEventKeys } from './auth-event-types.ts'
import { inRoom, roomState } from './auth-room.testing.ts'
import { authorize } from './authorize.ts'
import { checkAuthEvents } from './check-auth-events.ts'
import { mayRedact } from './redaction.ts'

const TYPES = [
  'm.room.create',
  'm.room.member',
  'm.room.power_levels',
  'm.room.join_rules',
  'm.room.third_party_invite',
  'm.room.redaction',
  'm.room.aliases',
  'm.room.message',
]
const anyType = fc.constantFrom(...TYPES)
const anyVersion = fc.constantFrom(...roomVersions)
const anyUser = fc.constantFrom('@alice:x', '@admin:x', '@creator:x', '@banned:x', '@new:y', '@:z')
// Content that the rules look into, with anything in it.
const anyContent = fc.oneof(
  anyJsonObject,
  fc.record(
    {
      membership: fc.oneof(fc.constantFrom('join', 'invite', 'leave', 'ban', 'knock'), anyJson),
      join_authorised_via_users_server: fc.oneof(anyUser, anyJson),
      third_party_invite: fc.oneof(
        anyJson,
        fc.record({
          signed: fc.oneof(anyJson, fc.record({ mxid: anyUser, token: fc.constant('t'), signatures: anyJson })),
        }),
      ),
      users: fc.oneof(anyJson, fc.dictionary(anyUser, anyJson)),
      events: anyJson,
      notifications: anyJson,
      ban: anyJson,
      invite: anyJson,
      join_rule: fc.oneof(fc.constantFrom('public', 'knock', 'restricted', 'knock_restricted'), anyJson),
      public_key: anyJson,
      public_keys: anyJson,
      creator: anyJson,
      additional_creators: anyJson,
      room_version: anyJson,
      redacts: anyJson,
      'm.federate': anyJson,
    },
    { requiredKeys: [] },
  ),
)
const anyEvent = fc.record({
  type: anyType,
  sender: anyUser,
  stateKey: fc.option(fc.oneof(anyUser, fc.constantFrom('', 't')), { nil: undefined }),
  content: anyContent.map((content) => JSON.parse(JSON.stringify(content))),
})

test('the rules have a verdict on any event by any state, in all versions', () => {
  fc.assert(
    fc.property(anyVersion, anyEvent, fc.array(anyEvent, { maxLength: 5 }), (version, draft, state) => {
      const event = inRoom(version, draft)
      const given = { event, state: roomState(version, { state }), rules: rulesOf(version) }
      assert.equal(typeof authorize(given.event, given.state, given.rules).ok, 'boolean')
      const authEvents = state.map((each) => ({ event: inRoom(version, each), isRejected: false }))
      assert.equal(typeof checkAuthEvents(event, authEvents, given.rules).ok, 'boolean')
      assert.ok(authEventKeys(event, given.rules).length <= 6)
      assert.equal(typeof mayRedact(given, inRoom(version, draft)), 'boolean')
      assert.equal(typeof verifyEvent(event, given.rules, () => undefined).ok, 'boolean')
      assert.ok(neededKeys(event, given.rules).size <= 3)
    }),
    { numRuns: 500 },
  )
})

test('anything can be hashed, redacted, signed and checked, in all versions', () => {
  fc.assert(
    fc.property(
      anyVersion,
      anyJsonObject,
      fc.dictionary(fc.constantFrom('content', 'type', 'hashes', 'signatures', 'unsigned', 'event_id'), anyJson),
      (version, object, more) => {
        const pdu = JSON.parse(JSON.stringify({ ...object, ...more }))
        const rules = rulesOf(version)
        assert.equal(contentHash(pdu).length, 43)
        assert.equal(referenceHash(pdu, rules), referenceHash(redact(pdu, rules), rules))
        assert.equal(hasValidContentHash(pdu), false)
        const signed = hashAndSignEvent(pdu, signerOf(version))
        assert.ok(hasValidContentHash(signed))
        assert.equal(eventIdOf(signed, rules) === undefined, Number(version) < 3)
        assert.equal(verifyJson(signed, 'z', () => undefined).ok, false)
        assert.equal(canonicalJson(JSON.parse(canonicalJson(signed))), canonicalJson(signed))
      },
    ),
    { numRuns: 200 },
  )
})
