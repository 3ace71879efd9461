import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { byOpenSsl, bySodium, ed25519PrivateKey } from './ed25519.ts'

/** Secret key, message and signature. https://datatracker.ietf.org/doc/html/rfc8032#section-7.1 */
const VECTORS = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
] as const

const publicKeyOf = (seed: Uint8Array) =>
  createPublicKey(ed25519PrivateKey(seed)).export({ format: 'der', type: 'spki' }).subarray(-32)
const sodium = (seed: Uint8Array) => bySodium(seed, publicKeyOf(seed)) ?? assert.fail()
const hasSodium = bySodium(Buffer.alloc(32), Buffer.alloc(32)) !== undefined
const skip = hasSodium ? false : 'there is no libsodium for this system'

test('OpenSSL signs as the published vectors say', () => {
  for (const [secret, message, signature] of VECTORS)
    assert.equal(byOpenSsl(Buffer.from(secret, 'hex'))(Buffer.from(message, 'hex')).toString('hex'), signature)
})

test('libsodium signs whatever there is as OpenSSL does', { skip }, () => {
  const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(seeds, fc.uint8Array({ maxLength: 3000 }), (seed, bytes) => {
      const message = Buffer.from(bytes)
      assert.deepEqual(sodium(seed)(message), byOpenSsl(seed)(message))
    }),
  )
})
