import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recorded } from '#cli/testing/recorded.ts'

test('help is given, and is no error when it is asked for', async () => {
  const asked = await recorded(['--help'])
  assert.equal(asked.code, 0)
  assert.match(asked.out, /generate-config[\s\S]*register-user/)
  const one = await recorded(['hash-password', '--help'])
  assert.equal(one.code, 0)
  assert.match(one.out, /bcrypt_rounds/)
  const none = await recorded([])
  assert.equal(none.code, 2)
  assert.match(none.err, /Usage: myelin/)
})

test('what is not understood ends with 2 and a hint', async () => {
  const command = await recorded(['chek-config'])
  assert.equal(command.code, 2)
  assert.match(command.err, /Did you mean check-config/)
  const flag = await recorded(['check-config', '--confg', 'x'])
  assert.equal(flag.code, 2)
  assert.match(flag.err, /Did you mean --config/)
})

test('the version names Myelin and Node', async () => {
  assert.match((await recorded(['version'])).out, /^myelin \d+\.\d+\.\d+ \(Node 26\./)
  assert.match((await recorded(['--version'])).out, /^myelin /)
})
