import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '#util/json.ts'
import { anyJson, anyJsonObject } from './event-builder.testing.ts'
import { compileServerAcl } from './server-acl.ts'

describe('a server ACL', () => {
  const all = { allow: ['*'] }
  const cases: readonly (readonly [string, JsonObject | undefined, string, boolean])[] = [
    ['without an event everybody may take part', undefined, 'evil.com', true],
    ['an empty event keeps everybody out', {}, 'good.com', false],
    ['a star allows everybody', all, 'good.com', true],
    ['deny wins over allow', { ...all, deny: ['evil.com'] }, 'evil.com', false],
    ['the port does not count', { ...all, deny: ['evil.com'] }, 'evil.com:8448', false],
    ['an empty port does not count', { ...all, deny: ['evil.com'] }, 'evil.com:', false],
    ['case does not count', { ...all, deny: ['EVIL.com'] }, 'evil.COM', false],
    ['a glob denies subdomains', { ...all, deny: ['*.evil.com'] }, 'a.b.evil.com', false],
    ['a glob of subdomains leaves the domain', { ...all, deny: ['*.evil.com'] }, 'evil.com', true],
    ['a question mark is one character', { ...all, deny: ['evil?.com'] }, 'evil1.com', false],
    ['a dot is a dot', { ...all, deny: ['evil.com'] }, 'evilxcom', true],
    ['who is not allowed is denied', { allow: ['good.com'] }, 'other.com', false],
    ['an IPv4 literal may be denied', { ...all, allow_ip_literals: false }, '1.2.3.4', false],
    ['an IPv4 literal with a port may be denied', { ...all, allow_ip_literals: false }, '1.2.3.4:80', false],
    ['an IPv6 literal may be denied', { ...all, allow_ip_literals: false }, '[::1]:8448', false],
    ['IP literals are allowed unless told otherwise', all, '[::1]', true],
    ['what is no boolean does not deny IP literals', { ...all, allow_ip_literals: 'false' }, '1.2.3.4', true],
    ['a name of digits is no IP literal', { ...all, allow_ip_literals: false }, '1.2.3.example', true],
    ['an IPv6 address is matched with its brackets', { ...all, deny: ['[2001:db8::1]'] }, '[2001:db8::1]:1', false],
    ['the end of an IPv6 address is no port', { ...all, deny: ['[2001:db8:'] }, '[2001:db8::1]', true],
    ['odd entries are ignored', { allow: [7, null, 'good.com'], deny: 'good.com' }, 'good.com', true],
  ]
  for (const [name, content, server, expected] of cases) {
    test(name, () => assert.equal(compileServerAcl(content)(server), expected))
  }
  test('no content makes it throw', () => {
    fc.assert(
      fc.property(anyJsonObject, anyJson, fc.string(), (content, entry, server) => {
        compileServerAcl(content)(server)
        compileServerAcl({ allow: [entry], deny: entry })(server)
      }),
    )
  })
})
