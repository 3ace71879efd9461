import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentHeaders, readContentType, UNKNOWN_TYPE } from './content-headers.ts'

test('only what cannot run scripts is shown where it is linked', () => {
  for (const type of [
    'image/png',
    'IMAGE/PNG',
    'text/plain; charset=utf-16',
    'video/mp4;codecs="a,b"',
    'audio/x-flac',
  ]) {
    assert.equal(contentHeaders(type, undefined)['content-disposition'], 'inline', type)
  }
  for (const type of ['text/html', 'image/svg+xml', 'application/pdf', UNKNOWN_TYPE, 'image/pngx', 'text/xml']) {
    assert.equal(contentHeaders(type, undefined)['content-disposition'], 'attachment', type)
  }
})

test('a file keeps its name, and no name breaks the header', () => {
  const names = [
    ['cat.png', 'inline; filename="cat.png"'],
    ['two words; and "more"\\.txt', 'inline; filename="two words; and \\"more\\"\\\\.txt"'],
    ['../../etc/passwd', 'inline; filename="../../etc/passwd"'],
    ["Grüße (1)'*.txt", "inline; filename*=utf-8''Gr%C3%BC%C3%9Fe%20%281%29%27%2A.txt"],
    ['a\r\nset-cookie: x\0\x7f', 'inline; filename="aset-cookie: x"'],
    ['\ud800', "inline; filename*=utf-8''%EF%BF%BD"],
    ['\n', 'inline'],
    ['', 'inline'],
  ] as const
  for (const [name, expected] of names) {
    assert.equal(contentHeaders('image/png', name)['content-disposition'], expected)
  }
})

test('text says that it is UTF-8 unless it says something else', () => {
  const typeOf = (type: string) => contentHeaders(type, undefined)['content-type']
  assert.equal(typeOf('text/plain'), 'text/plain; charset=UTF-8')
  assert.equal(typeOf('text/plain;charset=latin1'), 'text/plain;charset=latin1')
  assert.equal(typeOf('image/png'), 'image/png')
})

test('what is no content type counts as unknown', () => {
  for (const type of ['image/png', 'text/plain; charset=utf-8', 'application/ld+json', 'a/b;x="é"'.replace('é', 'e')]) {
    assert.equal(readContentType(` ${type} `), type)
  }
  for (const type of [
    undefined,
    '',
    'image',
    'image/',
    '/png',
    'a/b/c',
    'a/b; x=é',
    'a/b\r\nx: y',
    `a/${'b'.repeat(300)}`,
  ]) {
    assert.equal(readContentType(type), UNKNOWN_TYPE)
  }
})
