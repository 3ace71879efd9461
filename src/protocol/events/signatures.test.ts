import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { anyJson, anyJsonObject, rulesOf } from '#protocol/event-builder.testing.ts'
import type { ServerName, UserId } from '#protocol/identifiers.ts'
import { roomVersions } from '#protocol/room-versions.ts'
import type { VerifyKey } from '#protocol/signing/server-keys.ts'
import { makeSigningKey } from '#protocol/signing/signing-key.ts'
import vectors from '#test/vectors/signing-events.json' with { type: 'json' }
import { decodeBase64 } from '#util/base64.ts'
import type { JsonObject } from '#util/json.ts'
import { isRefusal, type Verdict } from '#util/verdict.ts'
import { readEvent } from './format.ts'
import { contentHash, hasValidContentHash, referenceHash } from './hashes.ts'
import type { RoomEvent } from './pdu.ts'
import { redact } from './redact.ts'
import { hashAndSignEvent, isSignedBy, neededKeys, requiredSigners, signEvent, verifyEvent } from './signatures.ts'
import { built, builtCreate, type eventIdOf, signerOf, testKey } from './signed-event.testing.ts'

const verifyKey = (name: string): VerifyKey => ({
  publicKey: testKey(name).publicKey,
  publicKeyBase64: testKey(name).publicKeyBase64,
  validUntilTs: Number.MAX_SAFE_INTEGER,
  expiredTs: undefined,
})
const findKey = (server: ServerName, keyId: string) => (keyId === `ed25519:${server}` ? verifyKey(server) : undefined)
const verify = (event: RoomEvent, version: string, find = findKey): Verdict =>
  verifyEvent(event, rulesOf(version), find)
const reread = (pdu: unknown, version: string): RoomEvent => {
  const event = readEvent(pdu, rulesOf(version))
  assert.ok(!isRefusal(event), JSON.stringify(event))
  return event
}
const from = (first: number, last = 12) =>
  roomVersions.filter((version) => Number(version) >= first && Number(version) <= last)

test('the published events are hashed and signed as published', () => {
  const seed = decodeBase64(vectors.seed) ?? assert.fail()
  const signingKey = makeSigningKey(seed, vectors.keyVersion) ?? assert.fail()
  for (const { event, signed } of vectors.cases as readonly { event: JsonObject; signed: JsonObject }[]) {
    const signer = { rules: rulesOf('1'), serverName: vectors.serverName as ServerName, signingKey }
    assert.deepEqual(hashAndSignEvent(event, signer), signed)
    assert.ok(hasValidContentHash(signed))
  }
})

describe('an event that a server made', () => {
  for (const version of roomVersions) {
    test(`is verified in version ${version}`, () => {
      for (const { event, json } of [built(version), builtCreate(version)]) {
        const read = reread(JSON.parse(json), version)
        assert.deepEqual(read, event)
        assert.deepEqual(verify(read, version), { ok: true })
        assert.ok(hasValidContentHash(read.pdu))
      }
    })

    test(`keeps its ID and stays verifiable when it is redacted in version ${version}`, () => {
      const types = ['m.room.message', 'm.room.power_levels', 'm.room.join_rules', 'm.room.redaction', 'm.room.aliases']
      fc.assert(
        fc.property(fc.constantFrom(...types), anyJsonObject.filter(isStrict), (type, content) => {
          const { event } = built(version, { type, content, stateKey: '' })
          const copy = reread(redact(event.pdu, rulesOf(version)), version)
          assert.equal(copy.eventId, event.eventId)
          assert.equal(referenceHash(copy.pdu, rulesOf(version)), referenceHash(event.pdu, rulesOf(version)))
          assert.deepEqual(verify(copy, version), { ok: true })
          assert.equal(hasValidContentHash(copy.pdu), JSON.stringify(content) === JSON.stringify(copy.content))
        }),
        { numRuns: 20 },
      )
    })

    test(`is not verified when any signed part is altered in version ${version}`, () => {
      const { event } = built(version, {
        type: 'm.room.member',
        stateKey: '@alice:x',
        content: { membership: 'leave' },
      })
      const signedKeys = rulesOf(version).redaction.topLevel.filter((key) => key !== 'signatures')
      fc.assert(
        fc.property(fc.constantFrom(...signedKeys), anyJson, (key, value) => {
          fc.pre(JSON.stringify(value) !== JSON.stringify(event.pdu[key]))
          fc.pre(
            key !== 'content' ||
              JSON.stringify(redact({ ...event.pdu, content: value }, rulesOf(version))['content']) !==
                JSON.stringify(event.content),
          )
          assert.equal(verify({ ...event, pdu: { ...event.pdu, [key]: value } }, version).ok, false, key)
          const { [key]: _, ...without } = event.pdu
          assert.equal(verify({ ...event, pdu: without }, version).ok, Object.hasOwn(event.pdu, key) === false)
        }),
        { numRuns: 40 },
      )
    })
  }
})

const isStrict = (object: JsonObject): boolean => !/\d[.eE]|\d{16}/.test(JSON.stringify(object))

test('what is not signed may change, but what the hash covers shows', () => {
  for (const version of roomVersions) {
    const { event } = built(version)
    const other = reread({ ...event.pdu, unsigned: { age: 1 } }, version)
    assert.deepEqual(verify(other, version), { ok: true })
    assert.ok(hasValidContentHash(other.pdu))
    const altered = reread({ ...event.pdu, content: { body: 'Other' } }, version)
    assert.deepEqual(verify(altered, version), { ok: true })
    assert.ok(!hasValidContentHash(altered.pdu))
  }
})

test('a content hash is compared as bytes', () => {
  const { event } = built('11')
  const padded = { ...event.pdu, hashes: { sha256: `${contentHash(event.pdu)}=` } }
  assert.ok(hasValidContentHash(padded))
  for (const hashes of [{}, 1, { sha256: 1 }, { sha256: '!' }, { sha256: '' }]) {
    assert.ok(!hasValidContentHash({ ...event.pdu, hashes }))
  }
})

describe('the servers that must have signed', () => {
  const signers = (version: string, draft: Parameters<typeof built>[1]) =>
    requiredSigners(built(version, draft).event, rulesOf(version))
  const invite = {
    type: 'm.room.member',
    stateKey: '@bob:y',
    content: { membership: 'invite', third_party_invite: {} },
  }

  test('are the server of the sender', () => {
    for (const version of roomVersions) assert.deepEqual(signers(version, {}), ['x'])
  })

  test('are also that of the event ID in versions 1 and 2', () => {
    const eventId = '$e:z' as ReturnType<typeof eventIdOf>
    for (const version of from(1, 2)) assert.deepEqual(signers(version, { eventId }), ['x', 'z'])
    for (const version of from(3)) assert.deepEqual(signers(version, { eventId }), ['x'])
  })

  test('are also that of the user who authorised a membership from version 8', () => {
    for (const membership of ['join', 'leave']) {
      const draft = {
        type: 'm.room.member',
        stateKey: '@alice:x',
        content: { membership, join_authorised_via_users_server: '@m:y' },
      }
      for (const version of from(1, 7)) assert.deepEqual(signers(version, draft), ['x'])
      for (const version of from(8)) assert.deepEqual(signers(version, draft), ['x', 'y'])
    }
    assert.deepEqual(signers('8', { content: { join_authorised_via_users_server: '@m:y' } }), ['x'])
  })

  test('are not that of the sender for a third-party invite', () => {
    for (const version of roomVersions) assert.deepEqual(signers(version, invite), [])
    assert.deepEqual(signers('11', { ...invite, content: { membership: 'join', third_party_invite: {} } }), ['x'])
  })

  test('are that of the sender for a third-party invite that a redaction would make an ordinary one', () => {
    for (const version of roomVersions) {
      const { event } = built(version, invite)
      const forged = { ...event, pdu: { ...event.pdu, more: 1 } }
      assert.deepEqual(requiredSigners(forged, rulesOf(version)), Number(version) < 11 ? ['x'] : [])
    }
  })
})

test('every server that must have signed is asked for', () => {
  const draft = {
    type: 'm.room.member',
    stateKey: '@alice:x',
    content: { membership: 'join', join_authorised_via_users_server: '@m:y' },
  }
  const { event } = built('10', draft)
  const verdict = verify(event, '10')
  assert.ok(!verdict.ok)
  assert.equal(verdict.rule, '1')
  const both = reread(signEvent(event.pdu, signerOf('10', 'y')), '10')
  assert.equal(both.eventId, event.eventId)
  assert.deepEqual(verify(both, '10'), { ok: true })
  assert.deepEqual(
    [...neededKeys(both, rulesOf('10'))],
    [
      ['x', ['ed25519:x']],
      ['y', ['ed25519:y']],
    ],
  )
})

test('a key that was retired before the event is passed over', () => {
  for (const version of roomVersions) {
    const { event } = built(version)
    const retiredAt = (expiredTs: number) => () => ({ ...verifyKey('x'), expiredTs })
    assert.ok(verify(event, version, retiredAt(event.originServerTs)).ok)
    assert.ok(!verify(event, version, retiredAt(event.originServerTs - 1)).ok)
  }
})

test('the validity of a key counts from version 5', () => {
  for (const version of roomVersions) {
    const { event } = built(version)
    const verdict = verify(event, version, () => ({ ...verifyKey('x'), validUntilTs: event.originServerTs - 1 }))
    assert.equal(verdict.ok, Number(version) < 5)
  }
})

test('a signature by a wrong key is not covered up by a right one', () => {
  const { event } = built('11', { sender: '@alice:x' as UserId })
  const twice = signEvent(event.pdu, { ...signerOf('11'), signingKey: testKey('y') })
  const find = (_server: ServerName, keyId: string) => verifyKey(keyId === 'ed25519:x' ? 'x' : 'z')
  assert.ok(!verify({ ...event, pdu: twice }, '11', find).ok)
  assert.ok(
    verify({ ...event, pdu: twice }, '11', (_server, keyId) => (keyId === 'ed25519:x' ? verifyKey('x') : undefined)).ok,
  )
})

test('a signature by one certain key is found among others', () => {
  const { event } = built('12')
  const pdu = signEvent(event.pdu, { ...signerOf('12', 'policy'), signingKey: testKey('policy_server') })
  const signer = {
    serverName: 'policy' as ServerName,
    keyId: 'ed25519:policy_server',
    publicKey: testKey('policy_server').publicKey,
  }
  assert.ok(isSignedBy({ ...event, pdu }, rulesOf('12'), signer))
  assert.ok(!isSignedBy(event, rulesOf('12'), signer))
  assert.ok(!isSignedBy({ ...event, pdu }, rulesOf('12'), { ...signer, publicKey: testKey('x').publicKey }))
})
