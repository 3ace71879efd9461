import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemRandom } from '#util/random.ts'
import { ensureDefaultConfiguration } from './default-configuration.ts'
import { loadConfig } from './load.ts'

function inFolder(run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-default-'))
  try {
    run(join(folder, 'data'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
const contents = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(join(folder, entry.name), 'utf8')]),
  )
const modes = (folder: string) =>
  Object.fromEntries(
    ['.', ...readdirSync(folder)].map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]),
  )

test('a first start makes a private folder with all that a server needs', () =>
  inFolder((folder) => {
    const made = ensureDefaultConfiguration(folder, systemRandom)
    assert.deepEqual(made, { path: join(folder, 'homeserver.yaml'), isNew: true })
    assert.deepEqual(modes(folder), {
      '.': '700',
      'homeserver.yaml': '600',
      'localhost.signing.key': '600',
      media_store: '700',
      registration_shared_secret: '600',
    })
    const loaded = loadConfig({ paths: [made.path] })
    assert.ok(loaded.ok)
    assert.deepEqual(loaded.notices, [])
    const { config } = loaded
    assert.equal(config.server.name, 'localhost')
    assert.deepEqual(config.listeners[0]?.address, { kind: 'tcp', port: 8008, hosts: ['::1', '127.0.0.1'] })
    assert.deepEqual(config.database.main, {
      engine: 'sqlite',
      path: join(folder, 'homeserver.db'),
      synchronous: 'full',
    })
    assert.equal(config.signingKeys.path, join(folder, 'localhost.signing.key'))
    assert.match(config.registration.sharedSecret ?? '', /^[A-Za-z]{50}$/)
  }))

test('the next start uses what the first made', () =>
  inFolder((folder) => {
    ensureDefaultConfiguration(folder, systemRandom)
    const before = contents(folder)
    assert.equal(ensureDefaultConfiguration(folder, systemRandom).isNew, false)
    assert.deepEqual(contents(folder), before)
  }))

test('a first start that was cut short is finished with the same secrets', () =>
  inFolder((folder) => {
    ensureDefaultConfiguration(folder, systemRandom)
    const before = contents(folder)
    unlinkSync(join(folder, 'homeserver.yaml'))
    ensureDefaultConfiguration(folder, systemRandom)
    assert.deepEqual(contents(folder), before)
  }))
