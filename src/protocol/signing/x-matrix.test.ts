import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyJson } from '#protocol/event-builder.testing.ts'
import { parseServerName, type ServerName } from '#protocol/identifiers.ts'
import { isRefusal } from '#util/verdict.ts'
import { signJson } from './sign-json.ts'
import { makeSigningKey } from './signing-key.ts'
import { makeXMatrix, parseXMatrix, type SignedRequest, verifyXMatrix } from './x-matrix.ts'

const server = (name: string): ServerName => parseServerName(name) ?? assert.fail(name)
const key = makeSigningKey(Buffer.alloc(32, 1), 'key1') ?? assert.fail()
const origin = server('origin.hs.example.com')
const request: SignedRequest = {
  method: 'POST',
  uri: '/_matrix/target?a=b',
  destination: server('destination.hs.example.com:8448'),
  content: { b: 1, a: [2] },
}
const parse = (header: string) => {
  const parsed = parseXMatrix(header)
  assert.ok(!isRefusal(parsed), `${header} should be read`)
  return parsed
}

test('a request is verified by what its header says', () => {
  fc.assert(
    fc.property(fc.option(anyJson, { nil: undefined }), (content) => {
      const asked = { ...request, content }
      const header = parse(makeXMatrix(asked, origin, key))
      assert.equal(header.origin, origin)
      assert.equal(header.destination, request.destination)
      assert.equal(header.keyId, 'ed25519:key1')
      assert.deepEqual(verifyXMatrix(asked, header, key.publicKey), { ok: true })
    }),
    { numRuns: 30 },
  )
})

test('the signature is that of the JSON which the specification gives', () => {
  const { method, uri, destination, content } = request
  assert.ok(content !== undefined)
  const signed = signJson({ method, uri, origin, destination, content }, origin, key)
  const { signature } = parse(makeXMatrix(request, origin, key))
  assert.deepEqual(signed['signatures'], { [origin]: { [key.keyId]: signature } })
})

test('a request that was changed is not verified', () => {
  const header = parse(makeXMatrix(request, origin, key))
  const changes: readonly Partial<SignedRequest>[] = [
    { method: 'PUT' },
    { uri: '/_matrix/target' },
    { content: {} },
    { content: undefined },
    { destination: server('other') },
  ]
  for (const change of changes) assert.equal(verifyXMatrix({ ...request, ...change }, header, key.publicKey).ok, false)
  assert.equal(verifyXMatrix(request, { ...header, origin: server('other') }, key.publicKey).ok, false)
  assert.equal(verifyXMatrix(request, { ...header, signature: 'x' }, key.publicKey).ok, false)
})

test('a header without destination is accepted, one with another is not', () => {
  const header = parse(makeXMatrix(request, origin, key))
  assert.deepEqual(verifyXMatrix(request, { ...header, destination: undefined }, key.publicKey), { ok: true })
  const verdict = verifyXMatrix(request, { ...header, destination: 'other' }, key.publicKey)
  assert.ok(!verdict.ok)
  assert.equal(verdict.rule, 'destination')
})

test('headers are read as the specification allows them to be written', () => {
  const expected = { origin: 'a:80', destination: 'b', keyId: 'ed25519:k', signature: 'S+/' }
  const headers = [
    'X-Matrix origin="a:80",destination="b",key="ed25519:k",sig="S+/"',
    'X-Matrix origin=a:80,destination=b,key=ed25519:k,sig="S+/"',
    'x-matrix   ORIGIN="a:80" , Destination=b\t,\tkey="ed25519:k",sig="S+/"',
    'X-Matrix sig="S+/",key="ed25519:k",destination="b",origin="a:80"',
    'X-Matrix origin="\\a:8\\0",destination="b",key="ed25519:k",sig="S+/"',
    'X-Matrix origin="a:80",destination="b",key="ed25519:k",sig="S+/",more="x,y=\\"z\\"",empty=""',
    'X-Matrix origin="a:80",destination="b",key="ed25519:k",signature="S+/"',
    'X-Matrix origin=a:80,destination=b,key=ed25519:k,sig=S+/',
  ]
  for (const header of headers) assert.deepEqual(parse(header), expected, header)
  assert.equal(parse('X-Matrix origin=a,key=k,sig=s').destination, undefined)
})

test('headers that are none are refused', () => {
  const headers = {
    scheme: ['', 'Bearer x', 'X-Matrix', 'X-Matrixorigin=a'],
    syntax: [
      'X-Matrix origin',
      'X-Matrix origin="a',
      'X-Matrix =a',
      'X-Matrix origin=a b',
      'X-Matrix origin=a,origin=b',
      'X-Matrix ,,',
    ],
    origin: ['X-Matrix key=k,sig=s', 'X-Matrix origin="a b",key=k,sig=s', 'X-Matrix origin=,key=k,sig=s'],
    key: ['X-Matrix origin=a,sig=s'],
    sig: ['X-Matrix origin=a,key=k'],
  }
  for (const [rule, texts] of Object.entries(headers)) {
    for (const text of texts) {
      const parsed = parseXMatrix(text)
      assert.ok(isRefusal(parsed), text)
      assert.equal(parsed.rule, rule, text)
    }
  }
})

test('no header makes the parser throw or hang', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseXMatrix(`X-Matrix ${text}`)))
  assert.ok(isRefusal(parseXMatrix(`X-Matrix a="${'\\"'.repeat(50_000)}`)))
  assert.ok(isRefusal(parseXMatrix(`X-Matrix ${' '.repeat(50_000)}`)))
})
