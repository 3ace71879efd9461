import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemRandom } from '#util/random.ts'
import {
  createSigningKeyFile,
  ensureSigningKeyFile,
  formatSigningKeys,
  generateSigningKey,
  parseSigningKeys,
  publicKeyOf,
  readSigningKeyFile,
  signingKeyId,
} from './signing-key-file.ts'

/** The key of the specification's test vectors. https://spec.matrix.org/v1.19/appendices/#signing-json */
const SEED = 'YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1'
const PUBLIC_KEY = 'XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI'

function inFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-keys-'))
  try {
    run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const keysOf = (text: string) => {
  const read = parseSigningKeys(text)
  assert.ok(read.ok)
  return read.keys
}

test('a key file of Synapse gives the key, with and without padding', () => {
  for (const text of [
    `ed25519 a_AbCd ${SEED}\n`,
    `ed25519 a_AbCd ${SEED}=\r\n`,
    `\n# mine\ned25519  a_AbCd\t${SEED}`,
  ]) {
    const [key] = keysOf(text)
    assert.equal(signingKeyId(key), 'ed25519:a_AbCd')
    assert.equal(publicKeyOf(key), PUBLIC_KEY)
  }
})

test('several keys stand on lines of their own, the one to sign with first', () => {
  const keys = keysOf(`ed25519 one ${SEED}\ned25519 two ${SEED}\n`)
  assert.deepEqual(
    keys.map((key) => key.name),
    ['one', 'two'],
  )
})

test('what is written is read again', () => {
  const keys = [generateSigningKey(systemRandom), generateSigningKey(systemRandom)]
  assert.deepEqual(keysOf(formatSigningKeys(keys)), keys)
  assert.match(formatSigningKeys(keys.slice(0, 1)), /^ed25519 a_[A-Za-z]{4} [A-Za-z0-9+/]{43}\n$/)
})

test('a damaged key file is refused with its line, and without its secret', () => {
  for (const [text, reason] of [
    ['', 'There is no key in the file.'],
    [`\n${SEED}\n`, 'Line 2: Expected an algorithm, a name and a key, with spaces between them.'],
    [`rsa a ${SEED}`, 'Line 1: Expected the algorithm ed25519, and got rsa.'],
    [`ed25519 a! ${SEED}`, 'Line 1: Expected letters, digits and underscores for the name of the key.'],
    [`ed25519 a ${SEED.slice(1)}`, 'Line 1: Expected a key of 32 bytes in base64.'],
  ] as const)
    assert.deepEqual(parseSigningKeys(text), { ok: false, reason })
})

test('a missing key file is made once, for its owner and group', () =>
  inFolder((folder) => {
    const path = join(folder, 'x.signing.key')
    assert.equal(readSigningKeyFile(path), undefined)
    const made = ensureSigningKeyFile(path, systemRandom)
    assert.equal(statSync(path).mode & 0o777, 0o640)
    assert.deepEqual(ensureSigningKeyFile(path, systemRandom), made)
    assert.throws(() => createSigningKeyFile(path, [generateSigningKey(systemRandom)]))
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, 'x')
    assert.equal(readSigningKeyFile(path)?.ok, false)
    assert.equal(text.split('\n').length, 2)
  }))

test('a key file can be for its owner alone', () =>
  inFolder((folder) => {
    const path = join(folder, 'x.signing.key')
    ensureSigningKeyFile(path, systemRandom, 0o600)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  }))
