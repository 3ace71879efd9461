import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filesOf, quotedIn, tableOf, textOf } from './repository.ts'

test('the way of a message names files that are there, and functions that are in them', () => {
  const way = tableOf('docs/architecture.md', 'file', 'look for', 'what happens there')
  assert.ok(way.length > 0 && way.length <= 10, 'the way is told in ten files or fewer')
  for (const [file = '', names = ''] of way) {
    const [path = ''] = quotedIn(file)
    assert.equal(filesOf(path).length, 1, `there is no ${path}`)
    const text = textOf(path)
    for (const name of quotedIn(names)) {
      const declared = new RegExp(`^ *(?:[a-z]+ )*${name}(?:[<(:]| =)`, 'm')
      assert.match(text, declared, `${path} has no ${name}`)
    }
  }
})
