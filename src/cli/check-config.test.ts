import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, recorded } from '#cli/testing/recorded.ts'

const GOOD = `server_name: example.org
listeners: [{port: 8008, type: http, resources: [{names: [client]}]}]
database: {name: sqlite3, args: {database: /var/a.db}}
`

test('a good configuration passes, with its notices, and nothing is made', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'a.yaml'), GOOD)
    writeFileSync(join(folder, 'b.yaml'), 'presence: {enabled: true}\n')
    const { code, out, err } = await recorded([
      'check-config',
      '-c',
      join(folder, 'a.yaml'),
      '-c',
      join(folder, 'b.yaml'),
    ])
    assert.equal(code, 0)
    assert.equal(err, '')
    assert.match(out, /b\.yaml:1:1 presence: Not used yet/)
    assert.match(out, /no errors and 1 notice\.$/)
    assert.deepEqual(readdirSync(folder).sort(), ['a.yaml', 'b.yaml'])
  }))

test('a bad configuration fails with all its errors', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'a.yaml'), `${GOOD}pid_fil: x\nbcrypt_rounds: x\n`)
    const { code, err } = await recorded(['check-config', '-c', folder])
    assert.equal(code, 1)
    assert.match(
      err,
      /a\.yaml:4:1 pid_fil: There is no such option\. Did you mean pid_file\?\n.*a\.yaml:5:16 bcrypt_rounds/,
    )
    assert.match(err, /2 errors: Myelin would not start\.$/)
  }))

test('a damaged signing key is an error', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'a.yaml'), GOOD)
    writeFileSync(join(folder, 'example.org.signing.key'), 'nonsense\n')
    const { code, err } = await recorded(['check-config', '-c', folder])
    assert.equal(code, 1)
    assert.match(err, /example\.org\.signing\.key: Line 1/)
  }))
