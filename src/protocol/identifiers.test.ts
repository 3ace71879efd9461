import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyJson } from './event-builder.testing.ts'
import * as identifiers from './identifiers.ts'

type Parser = (value: unknown) => unknown
const accepts = (parse: Parser, values: readonly unknown[]) => {
  for (const value of values) assert.deepEqual(parse(value), value, `${JSON.stringify(value)} should be accepted`)
}
const refuses = (parse: Parser, values: readonly unknown[]) => {
  for (const value of values) assert.equal(parse(value), undefined, `${JSON.stringify(value)} should be refused`)
}
const NO_TEXT = [undefined, null, 1, true, {}, [], ['@a:b'], '']
const hash = 'Nhcu5BS-UMnFX7hBVfVSoXiD7OgH6iRT-xyIuqDnpYQ'

test('server names are host and port', () => {
  accepts(identifiers.parseServerName, [
    'matrix.org',
    'matrix.org:8888',
    '1.2.3.4',
    '1.2.3.4:1234',
    '[1234:5678::abcd]',
    '[1234:5678::abcd]:5678',
    'MATRIX.org',
    'localhost',
    'a-b.c',
    'domain',
    '[::]',
    '[::1]',
    '[1:2:3:4:5:6:7:8]',
    '[1:2:3:4:5:6:7::]',
    '[::ffff:1.2.3.4]',
    '[1:2:3:4:5:6:1.2.3.4]',
    '1.2.3',
    '1.2.3.4.5',
    '999.org',
    'a:1',
    'x:99999',
    'a'.repeat(255),
  ])
  refuses(identifiers.parseServerName, [
    ...NO_TEXT,
    'a_b.c',
    'a b',
    'ä.de',
    'a:',
    'a:b',
    'a:123456',
    ':80',
    '256.1.1.1',
    '[::1',
    '::1',
    '[]',
    '[:]',
    '[:::]',
    '[1:2:3:4:5:6:7]',
    '[1:2:3:4:5:6:7:8:9]',
    '[1::2::3]',
    '[12345::]',
    '[1.2.3.4]',
    '[1.2.3.4::]',
    '[::1.2.3.4:1]',
    '[::256.1.1.1]',
    '[1:2:3:4:5:6:7:8::]',
    '[g::]',
    'a/b',
    'a\n',
    'a'.repeat(256),
    '@a:b',
  ])
})

test('a server name is split into host and port', () => {
  const split = (name: string) => {
    const serverName = identifiers.parseServerName(name)
    assert.ok(serverName)
    return identifiers.splitServerName(serverName)
  }
  assert.deepEqual(split('matrix.org'), { hostname: 'matrix.org', port: undefined })
  assert.deepEqual(split('matrix.org:80'), { hostname: 'matrix.org', port: 80 })
  assert.deepEqual(split('[::1]'), { hostname: '[::1]', port: undefined })
  assert.deepEqual(split('[::1]:8448'), { hostname: '[::1]', port: 8448 })
})

test('IP literals are told from DNS names', () => {
  for (const host of ['1.2.3.4', '[::1]']) assert.ok(identifiers.isIpLiteral(host))
  for (const host of ['matrix.org', '1.2.3', '256.1.1.1.org']) assert.ok(!identifiers.isIpLiteral(host))
})

test('a new user ID has a localpart of few characters', () => {
  accepts(identifiers.parseNewUserId, ['@a:b', '@alice_1.2=3-4/5+6:matrix.org', '@0:[::1]:80', `@${'a'.repeat(252)}:b`])
  refuses(identifiers.parseNewUserId, [
    ...NO_TEXT,
    '@:b',
    '@A:b',
    '@a b:c',
    '@ä:b',
    '@a',
    '@a:',
    'a:b',
    '@a:b:c',
    '@a\n:b',
    `@${'a'.repeat(253)}:b`,
  ])
})

test('a user ID in events may have a historical localpart', () => {
  accepts(identifiers.parseUserId, ['@a:b', '@:b', '@A!"§:b', '@a b:c', '@😀:b', '@\u0001:b', `@${'é'.repeat(126)}:b`])
  refuses(identifiers.parseUserId, [
    ...NO_TEXT,
    '@',
    '@a',
    '@a:',
    'a:b',
    '!a:b',
    '@a\0:b',
    '@\ud800:b',
    '@a:b_c',
    '@a:b:c',
    `@${'é'.repeat(127)}:b`,
  ])
})

test('a user whose localpart is not visible ASCII is not compliant', () => {
  const isCompliant = (id: string) => identifiers.isCompliantUserId(identifiers.parseUserId(id) ?? assert.fail(id))
  for (const id of ['@a:b', '@A~!:b']) assert.ok(isCompliant(id))
  for (const id of ['@:b', '@a b:c', '@ä:b']) assert.ok(!isCompliant(id))
})

test('room IDs name a server or are a hash', () => {
  accepts(identifiers.parseRoomId, ['!a:b', '!😀 x:matrix.org:80', `!${hash}`, `!${hash}:b`])
  refuses(identifiers.parseRoomId, [
    ...NO_TEXT,
    '!',
    '!a',
    '!:b',
    '!a:',
    '#a:b',
    '!a\0:b',
    `!${hash}a`,
    `!${hash.slice(1)}`,
    `!${hash.slice(1)}+`,
    `!${hash}\n`,
    `!${'a'.repeat(253)}:b`,
  ])
  refuses(identifiers.parseQualifiedRoomId, [`!${hash}`])
  refuses(identifiers.parseHashRoomId, ['!a:b', `!${hash}:b`])
})

test('event IDs are opaque, or name a server', () => {
  accepts(identifiers.parseEventId, ['$a', '$a:b', `$${hash}`, '$acR1l0raoZnm60CBwAVgqbZqoO/mYU81xysh1u7XcJk', '$:'])
  refuses(identifiers.parseEventId, [...NO_TEXT, '$', 'a', '$\0', '$\ud800', `$${'a'.repeat(255)}`])
  accepts(identifiers.parseQualifiedEventId, ['$a:b', '$a b:matrix.org'])
  refuses(identifiers.parseQualifiedEventId, ['$a', '$:b', '$a:', '!a:b'])
})

test('room aliases have any localpart', () => {
  accepts(identifiers.parseRoomAlias, ['#a:b', '#Ä ö:matrix.org', '##:b'])
  refuses(identifiers.parseRoomAlias, [...NO_TEXT, '#', '#a', '#:b', '!a:b', '#a\0:b', `#${'ä'.repeat(127)}:b`])
})

test('mxc URIs name a server and a file', () => {
  const uri = identifiers.parseMxcUri('mxc://example.org:80/aZ0_-')
  assert.deepEqual(uri, { serverName: 'example.org:80', mediaId: 'aZ0_-' })
  assert.ok(uri)
  assert.equal(identifiers.printMxcUri(uri), 'mxc://example.org:80/aZ0_-')
  refuses(identifiers.parseMxcUri, [
    ...NO_TEXT,
    'mxc://',
    'mxc://a',
    'mxc://a/',
    'mxc:///b',
    'mxc://a/b/c',
    'mxc://a/../b',
    'mxc://a/b?c',
    'http://a/b',
    'mxc://a_b/c',
    'mxc://a/b\n',
  ])
})

test('identifiers give their parts', () => {
  const userId = identifiers.parseUserId('@a:b:80') ?? assert.fail()
  assert.equal(identifiers.serverNameOf(userId), 'b:80')
  assert.equal(identifiers.localpartOf(userId), 'a')
  const alias = identifiers.parseRoomAlias('#a#:[::1]:80') ?? assert.fail()
  assert.equal(identifiers.serverNameOf(alias), '[::1]:80')
  assert.equal(identifiers.localpartOf(alias), 'a#')
  const room = identifiers.parseRoomId(`!${hash}`) ?? assert.fail()
  assert.equal(identifiers.serverNameOf(room), undefined)
  assert.equal(identifiers.localpartOf(room), hash)
  assert.equal(identifiers.serverNameOf(identifiers.parseRoomId('!a:b') ?? assert.fail()), 'b')
  assert.equal(identifiers.serverNameOf(identifiers.parseEventId('$a:b') ?? assert.fail()), 'b')
})

test('opaque and namespaced identifiers keep to their grammars', () => {
  for (const value of ['a', 'A-Z.0_~', 'a'.repeat(255)]) assert.ok(identifiers.isOpaqueIdentifier(value))
  for (const value of [...NO_TEXT, 'a b', 'a/b', 'ä', 'a\n', 'a'.repeat(256)])
    assert.ok(!identifiers.isOpaqueIdentifier(value))
  assert.ok(!identifiers.isOpaqueIdentifier('a'.repeat(65), 64))
  for (const value of ['a', 'm.x', 'com.example.a-b_c', 'a'.repeat(255)])
    assert.ok(identifiers.isNamespacedIdentifier(value))
  for (const value of [...NO_TEXT, '1a', '.a', 'A', 'aB', 'a b', 'a\n', 'a'.repeat(256)]) {
    assert.ok(!identifiers.isNamespacedIdentifier(value))
  }
})

test('whatever comes, a parser gives the value itself or nothing, and never one that breaks the limits', () => {
  const parsers = [
    identifiers.parseUserId,
    identifiers.parseNewUserId,
    identifiers.parseRoomId,
    identifiers.parseQualifiedRoomId,
    identifiers.parseHashRoomId,
    identifiers.parseEventId,
    identifiers.parseQualifiedEventId,
    identifiers.parseRoomAlias,
  ]
  const localpart = fc.string({
    unit: fc.constantFrom('a', 'Z', '_', 'ä', '😀', '\ud800', '\0', ':', ' '),
    maxLength: 140,
  })
  const server = fc.constantFrom('', ':', ':x', ':x.org:80', ':[::1]:80', ':x_y', ':x:y')
  const almost = fc.tuple(fc.constantFrom('@', '!', '$', '#', ''), localpart, server).map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(almost, fc.string({ unit: 'binary' }), anyJson), (value: unknown) => {
      for (const parse of parsers) {
        const parsed = parse(value)
        if (parsed === undefined) continue
        assert.equal(parsed, value)
        assert.ok(Buffer.byteLength(parsed) <= 255 && parsed.isWellFormed() && !parsed.includes('\0'))
        const serverName = identifiers.serverNameOf(parsed)
        if (parse !== identifiers.parseEventId) assert.equal(identifiers.parseServerName(serverName), serverName)
      }
      for (const judge of [identifiers.isOpaqueIdentifier, identifiers.isNamespacedIdentifier]) {
        assert.equal(typeof judge(value), 'boolean')
      }
      identifiers.parseServerName(value)
      identifiers.parseMxcUri(value)
    }),
    { numRuns: 500 },
  )
})

test('an IPv6 literal is what the platform takes for one', () => {
  const group = fc.stringMatching(/^[0-9a-fA-F]{1,5}$/)
  const piece = fc.oneof({ weight: 4, arbitrary: group }, fc.constantFrom('', '', '1.2.3.4', '256.1.1.1'))
  const address = fc.array(piece, { minLength: 2, maxLength: 10 }).map((pieces) => pieces.join(':'))
  fc.assert(
    fc.property(address, (text) => {
      const isAccepted = identifiers.parseServerName(`[${text}]`) !== undefined
      assert.equal(isAccepted, URL.canParse(`http://[${text}]/`) && text.length <= 45, text)
    }),
    { numRuns: 2000 },
  )
})
