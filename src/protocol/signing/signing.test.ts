import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyJson, anyJsonObject, rulesOf } from '#protocol/event-builder.testing.ts'
import { parseServerName, type ServerName } from '#protocol/identifiers.ts'
import vectors from '#test/vectors/signing-json.json' with { type: 'json' }
import { decodeBase64 } from '#util/base64.ts'
import { get, type JsonObject } from '#util/json.ts'
import { isRefusal } from '#util/verdict.ts'
import { isSignatureOf, readPublicKey } from './ed25519.ts'
import { buildServerKeys, MAX_KEY_VALIDITY_MS, maySignEvent, maySignRequest, readServerKeys } from './server-keys.ts'
import { signJson, withSignature } from './sign-json.ts'
import { makeSigningKey, type SigningKey, signText } from './signing-key.ts'
import { signingKeyIds, verifyJson } from './verify-json.ts'

const server = (name: string): ServerName => parseServerName(name) ?? assert.fail(name)
const keyOf = (fill: number, version: string): SigningKey =>
  makeSigningKey(Buffer.alloc(32, fill), version) ?? assert.fail()
const published = makeSigningKey(decodeBase64(vectors.seed) ?? assert.fail(), vectors.keyVersion) ?? assert.fail()
const mine = keyOf(1, 'a')
const other = keyOf(2, 'b')
const find =
  (...keys: readonly SigningKey[]) =>
  (keyId: string) =>
    keys.find((key) => key.keyId === keyId)?.publicKey

test('the published JSON is signed as published', () => {
  for (const { object, signed } of vectors.cases) {
    assert.deepEqual(signJson(object, vectors.serverName, published), signed)
    assert.deepEqual(verifyJson(signed, vectors.serverName, find(published)), { ok: true })
  }
})

test('a key takes a seed of 32 bytes and a plain version', () => {
  assert.equal(published.keyId, 'ed25519:1')
  assert.equal(makeSigningKey(Buffer.alloc(31), 'a'), undefined)
  for (const version of ['', 'a b', 'a:b', 'ä', 'a-b'])
    assert.equal(makeSigningKey(Buffer.alloc(32), version), undefined)
})

test('public keys are read from base64 of 32 bytes', () => {
  assert.ok(readPublicKey(mine.publicKeyBase64)?.equals(mine.publicKey))
  assert.ok(readPublicKey(`${mine.publicKeyBase64}=`)?.equals(mine.publicKey))
  for (const text of ['', 'a', '!', 'AAAA', `${mine.publicKeyBase64}AA`]) assert.equal(readPublicKey(text), undefined)
})

test('nothing but the signature of a text passes for it', () => {
  const signature = signText('text', mine)
  assert.ok(isSignatureOf(signature, 'text', mine.publicKey))
  assert.ok(isSignatureOf(`${signature}==`, 'text', mine.publicKey))
  for (const text of ['', '!', signature.slice(2), `${signature}AA`, signText('other', mine)]) {
    assert.ok(!isSignatureOf(text, 'text', mine.publicKey))
  }
  assert.ok(!isSignatureOf(signature, 'text', other.publicKey))
  const zero = readPublicKey(Buffer.alloc(32).toString('base64')) ?? assert.fail()
  assert.ok(!isSignatureOf(signature, 'text', zero))
})

test('signed JSON is verified, in whatever order, with whatever stands in unsigned', () => {
  fc.assert(
    fc.property(anyJsonObject, anyJson, (object, unsigned) => {
      const signed = signJson(signJson(object, 'x', mine), 'y', other)
      const changed = { ...JSON.parse(JSON.stringify(signed)), unsigned }
      assert.deepEqual(verifyJson(changed, 'x', find(mine)), { ok: true })
      assert.deepEqual(verifyJson(changed, 'y', find(other)), { ok: true })
      assert.equal(verifyJson({ ...changed, more: 1 }, 'x', find(mine)).ok, false)
    }),
    { numRuns: 50 },
  )
})

test('a signature is added beside the others', () => {
  const twice = signJson(signJson({ a: 1, signatures: { z: { k: 's' } } }, 'x', mine), 'x', other)
  assert.deepEqual(Object.keys(get(get(twice, 'signatures'), 'x') ?? {}), ['ed25519:a', 'ed25519:b'])
  assert.deepEqual(get(get(twice, 'signatures'), 'z'), { k: 's' })
  const odd = withSignature({ signatures: 1 }, { entity: '__proto__', keyId: '__proto__', signature: 's' })
  assert.equal(JSON.stringify(odd), '{"signatures":{"__proto__":{"__proto__":"s"}}}')
})

test('a check fails at the step that the specification gives', () => {
  const signed = signJson({ a: 1 }, 'x', mine)
  const signature = (value: unknown, keyId = 'ed25519:a') =>
    ({ a: 1, signatures: { x: { [keyId]: value } } }) as JsonObject
  const refusals: readonly (readonly [rule: string, object: JsonObject])[] = [
    ['1', { a: 1 }],
    ['1', { a: 1, signatures: [] }],
    ['1', { a: 1, signatures: { x: 1 } }],
    ['2', signature('s', 'rsa:1')],
    ['3', signature('s', 'ed25519:unknown')],
    ['7', signature('not base64!')],
    ['7', signature(1)],
    ['7', { ...signed, a: 2 }],
    [
      '7',
      withSignature(signJson({ a: 1 }, 'x', other), {
        entity: 'x',
        keyId: 'ed25519:a',
        signature: signText('x', mine),
      }),
    ],
  ]
  for (const [rule, object] of refusals) {
    const verdict = verifyJson(object, 'x', find(mine, other))
    assert.ok(!verdict.ok, JSON.stringify(object))
    assert.equal(verdict.rule, rule)
  }
  assert.deepEqual(signingKeyIds(signature('s', 'rsa:1'), 'x'), [])
  assert.deepEqual(signingKeyIds(signed, 'x'), ['ed25519:a'])
})

const x = server('x')
const NOW = 1_700_000_000_000
const keysOf = (validUntilTs = NOW + 1000): JsonObject =>
  buildServerKeys({
    serverName: x,
    signingKeys: [mine],
    retiredKeys: [{ keyId: other.keyId, publicKeyBase64: other.publicKeyBase64, expiredTs: NOW - 5000 }],
    validUntilTs,
  })
const readKeys = (value: unknown) => {
  const keys = readServerKeys(value, x, NOW)
  assert.ok(!isRefusal(keys))
  return keys
}

test('published keys are read back', () => {
  const { serverName, validUntilTs, keys } = readKeys(keysOf())
  assert.equal(serverName, 'x')
  assert.equal(validUntilTs, NOW + 1000)
  assert.deepEqual([...keys.keys()].toSorted(), ['ed25519:a', 'ed25519:b'])
  assert.equal(keys.get('ed25519:a')?.expiredTs, undefined)
  assert.equal(keys.get('ed25519:b')?.expiredTs, NOW - 5000)
  assert.ok(keys.get('ed25519:b')?.publicKey.equals(other.publicKey))
})

test('published keys are believed for seven days at most', () => {
  assert.equal(MAX_KEY_VALIDITY_MS, 604_800_000)
  assert.equal(readKeys(keysOf(NOW * 2)).validUntilTs, NOW + MAX_KEY_VALIDITY_MS)
})

test('entries that are no keys are passed over', () => {
  const { signatures: _, ...object } = keysOf()
  const odd = {
    'rsa:1': { key: 'x' },
    'ed25519:': { key: mine.publicKeyBase64 },
    'ed25519:c': { key: 'x' },
    'ed25519:d': 1,
  }
  const verifyKeys = { ...(get(object, 'verify_keys') as JsonObject), ...odd }
  const retired = {
    'ed25519:e': { key: other.publicKeyBase64 },
    'ed25519:f': { key: other.publicKeyBase64, expired_ts: 'x' },
  }
  const keys = readKeys(signJson({ ...object, verify_keys: verifyKeys, old_verify_keys: retired }, 'x', mine))
  assert.deepEqual([...keys.keys.keys()], ['ed25519:a'])
})

test('keys of another server, without validity, or not signed by a key in use are refused', () => {
  const { signatures: _, old_verify_keys: __, ...object } = keysOf()
  const cases: readonly (readonly [rule: string, value: unknown])[] = [
    ['server_keys', []],
    ['server_name', signJson({ ...object, server_name: 'y' }, 'x', mine)],
    ['valid_until_ts', signJson({ ...object, valid_until_ts: 1.5 }, 'x', mine)],
    ['verify_keys', signJson({ ...object, verify_keys: [] }, 'x', mine)],
    ['verify_keys', signJson({ ...object, old_verify_keys: 1 }, 'x', mine)],
    ['1', object],
    ['3', signJson(object, 'x', other)],
    ['7', { ...keysOf(), valid_until_ts: NOW }],
  ]
  for (const [rule, value] of cases) {
    const keys = readServerKeys(value, x, NOW)
    assert.ok(isRefusal(keys), rule)
    assert.equal(keys.rule, rule)
  }
  fc.assert(fc.property(anyJson, (value) => assert.ok(isRefusal(readServerKeys(value, x, NOW)))))
})

test('a retired key signs nothing after it was retired, and no requests', () => {
  const { keys } = readKeys(keysOf())
  const current = keys.get('ed25519:a') ?? assert.fail()
  const retired = keys.get('ed25519:b') ?? assert.fail()
  for (const version of ['1', '4', '5', '12']) {
    assert.ok(maySignEvent(retired, NOW - 5000, rulesOf(version)))
    assert.ok(!maySignEvent(retired, NOW - 4999, rulesOf(version)))
    assert.ok(maySignEvent(current, NOW + 1000, rulesOf(version)))
  }
  assert.ok(maySignRequest(current, NOW + 1000))
  assert.ok(!maySignRequest(current, NOW + 1001))
  assert.ok(!maySignRequest(retired, NOW - 6000))
})

test('from version 5 a key must have been valid when the event was made', () => {
  const current = readKeys(keysOf()).keys.get('ed25519:a') ?? assert.fail()
  assert.ok(maySignEvent(current, NOW + 1001, rulesOf('4')))
  assert.ok(!maySignEvent(current, NOW + 1001, rulesOf('5')))
})
