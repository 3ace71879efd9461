import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from '#util/random.ts'
import { openPurpose, printProgress, progressOf, sealPurpose } from './records.ts'

test('what was asked for is read by whoever knows the ID, and by nobody else', () => {
  const purpose = { operation: 'register', subject: undefined, params: { password: 'secret \0\ud800', n: null } }
  const sealed = sealPurpose('id', purpose, systemRandom)
  assert.deepEqual(openPurpose('id', sealed), purpose)
  assert.throws(() => openPurpose('other', sealed))
  assert.doesNotMatch(Buffer.from(sealed, 'base64').toString('latin1'), /secret/)
  assert.notEqual(sealPurpose('id', purpose, systemRandom), sealed)
})

test('how far an authentication is, is kept as it was', () => {
  const progress = { stages: [{ type: 'm.login.password', fact: { user: 5 } }], user: undefined }
  assert.deepEqual(progressOf({ completed: printProgress(progress) }), progress)
  assert.equal(progressOf({ completed: printProgress({ ...progress, user: 7 }) }).user, 7)
})
