import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfigText } from '#config/load.ts'
import { filesOf, textOf } from './repository.ts'

// What nothing reads yet, with the reason why it is an option all the same.
const EXCEPTIONS = [
  // The section refuses to open registration without it.
  'isOpenWithoutVerification',
]

test('what an administrator may set is read by something', () => {
  const loaded = loadConfigText(`
server_name: example.org
listeners: [{ port: 8008, type: http, resources: [{ names: [client] }] }]
database: { name: sqlite3, args: { database: /homeserver.db } }
`)
  assert.ok(loaded.ok)
  const names = Object.entries(loaded.config).flatMap(([section, values]) =>
    section === 'listeners' || section === 'environment' ? [] : namesIn(values),
  )
  assert.ok(names.includes('maxUploadBytes'))
  const code = filesOf('src/**/*.ts')
    .filter((path) => !path.startsWith('src/config/') && !path.endsWith('.test.ts'))
    .map(textOf)
    .join('\n')
  const words = new Set(code.match(/\w+/g))
  const unread = names.filter((name) => !words.has(name) && !EXCEPTIONS.includes(name))
  assert.deepEqual(unread, [])
})

const namesIn = (value: unknown): readonly string[] =>
  typeof value !== 'object' || value === null || Array.isArray(value)
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)])
