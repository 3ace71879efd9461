import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registrationMac } from './registration-mac.ts'

test('the proof of the shared secret is the HMAC-SHA1 of the fields', () => {
  // printf 'abcd\0pepper_roni\0pizza\0admin' | openssl dgst -sha1 -hmac shared_secret
  const admin = { nonce: 'abcd', username: 'pepper_roni', password: 'pizza', isAdmin: true, userType: undefined }
  assert.equal(registrationMac(admin, 'shared_secret'), '78611d3e2889563feeeed118aef1842146be1efa')
  // printf 'abcd\0alice\0wonderland\0notadmin\0support' | openssl dgst -sha1 -hmac shared_secret
  const user = { nonce: 'abcd', username: 'alice', password: 'wonderland', isAdmin: false, userType: 'support' }
  assert.equal(registrationMac(user, 'shared_secret'), '1a07a82c091db30ae8e7787ff8d75a81e16a9df7')
})
