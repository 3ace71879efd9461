import assert from 'node:assert/strict'
import { createCipheriv, hash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { chachaBlock, emptyFingerprint, Fingerprints } from './fingerprint.ts'

const SECRET = hash('sha256', 'a deployment', 'buffer')
const fingerprints = new Fingerprints(SECRET)
const words = (bytes: Buffer): number[] =>
  Array.from({ length: bytes.length / 4 }, (_, word) => bytes.readInt32LE(word * 4))

test('with 20 rounds the block function is the one that OpenSSL has', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      (key, iv) => {
        const stream = createCipheriv('chacha20', key, iv).update(new Uint8Array(64))
        const block = new Int32Array(16)
        const [a = 0, b = 0, c = 0, d = 0] = words(Buffer.from(iv))
        chachaBlock(block, Int32Array.from(words(Buffer.from(key))), [a, b, c, d], 20)
        assert.deepEqual([...block], words(stream))
      },
    ),
  )
})

const SIZE = 40
const history = fc.array(
  fc.record({ key: fc.nat(SIZE - 1), after: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 3 })) }),
  { maxLength: 80 },
)

test('fingerprints are equal exactly when states are, however they were reached', () => {
  const seen = new Map<string, string>()
  fc.assert(
    fc.property(history, (changes) => {
      const state = new Uint32Array(SIZE)
      let fingerprint = emptyFingerprint()
      for (const { key, after } of changes) {
        fingerprint = fingerprints.after(3, fingerprint, [{ key, before: state[key] ?? 0, after }])
        state[key] = after
      }
      assert.deepEqual(fingerprint, fingerprints.of(3, state))
      const [name, content] = [Buffer.from(fingerprint).toString('hex'), state.join()]
      assert.equal(seen.get(name) ?? content, content)
      seen.set(name, content)
      const other = Uint32Array.from(state)
      other[0] = (state[0] ?? 0) + 1
      assert.notDeepEqual(fingerprint, fingerprints.of(3, other))
    }),
    { numRuns: 500 },
  )
  assert.equal(new Set(seen.values()).size, seen.size)
})

test('a fingerprint depends on the room and on the secret', () => {
  const state = Uint32Array.of(0, 5, 6)
  const fingerprint = fingerprints.of(3, state)
  assert.notDeepEqual(fingerprints.of(4, state), fingerprint)
  assert.notDeepEqual(new Fingerprints(hash('sha256', 'another', 'buffer')).of(3, state), fingerprint)
  assert.deepEqual(new Fingerprints(Uint8Array.from(SECRET)).of(3, state), fingerprint)
  assert.throws(() => new Fingerprints(new Uint8Array(16)), /32 bytes/)
})
