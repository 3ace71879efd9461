import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, recorded } from '#cli/testing/recorded.ts'

const KEY = 'ed25519 a_AbCd YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1\n'
const PUBLIC_KEY = 'XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI'

test('a new key is printed, or written for its owner and group', () =>
  inFolder(async (folder) => {
    assert.match((await recorded(['generate-signing-key'])).out, /^ed25519 a_[A-Za-z]{4} [A-Za-z0-9+/]{43}$/)
    const path = join(folder, 'x.key')
    assert.equal((await recorded(['generate-signing-key', '-o', path])).code, 0)
    assert.equal(statSync(path).mode & 0o777, 0o640)
    assert.equal((await recorded(['generate-signing-key', '-o', path])).code, 1)
  }))

test('public keys are printed plainly, or as old keys of a configuration', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'x.key')
    writeFileSync(path, KEY)
    const plain = await recorded(['export-signing-key', path, path])
    assert.equal(plain.out, `ed25519:a_AbCd ${PUBLIC_KEY}\ned25519:a_AbCd ${PUBLIC_KEY}`)
    const old = await recorded(['export-signing-key', '-x', '--expiry-ts', '123', path])
    assert.equal(old.out, `  "ed25519:a_AbCd": { key: "${PUBLIC_KEY}", expired_ts: 123 }`)
  }))

test('a key that cannot be read ends with 1', () =>
  inFolder(async (folder) => {
    const { code, err } = await recorded(['export-signing-key', join(folder, 'gone')])
    assert.equal(code, 1)
    assert.match(err, /There is no file/)
  }))
