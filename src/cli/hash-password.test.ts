import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, recorded } from '#cli/testing/recorded.ts'
import { verifyPassword } from '#util/password-hash.ts'

/** Not a whole configuration: only passwords are looked at. */
const withConfig = (use: (path: string) => Promise<void>) =>
  inFolder(async (folder) => {
    const path = join(folder, 'a.yaml')
    writeFileSync(path, 'bcrypt_rounds: 4\npassword_config: {pepper: salt}\nnonsense: 1\n')
    await use(path)
  })

test('a password is hashed with the pepper, given, piped in or typed', () =>
  withConfig(async (path) => {
    const given = await recorded(['hash-password', '-c', path, '-p', 'secret'])
    const piped = await recorded(['hash-password', '-c', path], { input: 'secret\n' })
    const typed = await recorded(['hash-password', '-c', path], { answers: ['secret', 'secret'] })
    for (const { code, out } of [given, piped, typed]) {
      assert.equal(code, 0)
      assert.match(out, /^\$2b\$04\$/)
      assert.ok(await verifyPassword('secret', 'salt', out))
    }
  }))

test('a password that is too long to count whole is told', () =>
  withConfig(async (path) => {
    const { code, err } = await recorded(['hash-password', '-c', path, '-p', 'x'.repeat(72)])
    assert.equal(code, 0)
    assert.match(err, /first 72 bytes/)
  }))

test('a password that is typed differently is refused, and so is none', () =>
  withConfig(async (path) => {
    assert.equal((await recorded(['hash-password', '-c', path], { answers: ['one', 'two'] })).code, 1)
    assert.equal((await recorded(['hash-password', '-c', path], { input: '\n' })).code, 1)
  }))
