import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findPassword } from './password-file.ts'
import { readRequireAuth } from './require-auth.ts'
import { findService } from './service-file.ts'

test('the first line of a password file that matches counts', () => {
  const text = [
    '# host:port:dbname:user:password',
    'db.test:5432:*:me:one',
    String.raw`*:*:matrix:me:two\:with\:colons\\`,
    '[not a line',
    String.raw`host\:1:5432:a\\b:me:three`,
    '*:*:*:*:last:a comment\r',
    '',
  ].join('\n')
  const find = (host: string, dbname = 'matrix', user = 'me', port = 5432) =>
    findPassword(text, { host, port, dbname, user })
  assert.equal(find('db.test'), 'one')
  assert.equal(find('db.test', 'matrix', 'me', 5433), 'two:with:colons\\')
  assert.equal(find('host:1', 'a\\b'), 'three')
  assert.equal(find('x', 'y', 'z'), 'last')
  assert.equal(findPassword('', { host: 'a', port: 1, dbname: 'b', user: 'c' }), undefined)
})

test('a service is a section of a service file', () => {
  const text = '# services\n[other]\nhost=x\n\n[mine]\n  host=db.test\nport=5433  \nhost=late\n[third]\nhost=y\n'
  const found = findService(text, 'mine')
  assert.deepEqual(found.kind === 'found' && Object.fromEntries(found.settings), { host: 'db.test', port: '5433' })
  assert.deepEqual(findService(text, 'none'), { kind: 'missing' })
  for (const [line, sentence] of [
    ['host', /Line 2: Expected a keyword/],
    ['host = x', /Line 2: There is no connection parameter "host "/],
    ['service=other', /cannot name another/],
    ['ldap://x', /LDAP/],
  ] as const) {
    const bad = findService(`[a]\n${line}\n`, 'a')
    assert.match(bad.kind === 'bad' ? bad.sentence : '', sentence)
  }
})

test('ways to sign in are named, or ruled out', () => {
  assert.deepEqual(readRequireAuth('scram-sha-256,none'), new Set(['scram-sha-256', 'none']))
  assert.deepEqual(readRequireAuth('!password,!md5,!gss,!sspi,!oauth'), new Set(['scram-sha-256', 'none']))
  for (const value of ['', 'scram', 'md5, none', 'md5,md5', '!md5,password', 'md5,!password'])
    assert.equal(typeof readRequireAuth(value), 'string', value)
})
