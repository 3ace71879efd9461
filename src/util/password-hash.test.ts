import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, passwordBytes, verifyPassword } from './password-hash.ts'

/** Made by another implementation of bcrypt: `perl -e 'print crypt("passpepper", "\$2b\$04\$abcdefghijklmnopqrstuu")'`, and so on. */
const HASHES = {
  passpepper: '$2b$04$abcdefghijklmnopqrstuu6UXgZ7OjzOvEH7bZgIuaVipvXc.3Tte',
  seventyTwoLetters: '$2b$04$abcdefghijklmnopqrstuuBzzIgyKkz7xMWYSzkIjUSnxEQFQ0WNe',
  café: '$2b$04$abcdefghijklmnopqrstuuusvfeYzFuQdqd.KjimlRKkZ2QcoHWhO',
}

test('a password is compared with a hash that another bcrypt made', async () => {
  assert.ok(await verifyPassword('pass', 'pepper', HASHES.passpepper))
  assert.ok(!(await verifyPassword('pass', '', HASHES.passpepper)))
})

test('letters that look alike are one', async () => {
  assert.ok(await verifyPassword('ｐａｓｓ', 'pepper', HASHES.passpepper))
  assert.ok(await verifyPassword('cafe\u0301', '', HASHES.café))
})

test('only the first 72 bytes count', async () => {
  assert.ok(await verifyPassword('a'.repeat(80), 'pepper', HASHES.seventyTwoLetters))
  assert.equal(passwordBytes('a'.repeat(70), 'bb').isCut, false)
  assert.equal(passwordBytes('a'.repeat(70), 'bbb').isCut, true)
  assert.equal(passwordBytes('é'.repeat(40), '').bytes.length, 72)
})

test('a new hash is of the kind that Synapse keeps, and matches', async () => {
  const hash = await hashPassword('pass', { pepper: 'pepper', rounds: 4 })
  assert.match(hash, /^\$2b\$04\$[./A-Za-z0-9]{53}$/)
  assert.ok(await verifyPassword('pass', 'pepper', hash))
})
