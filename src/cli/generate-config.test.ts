import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { inFolder, recorded } from '#cli/testing/recorded.ts'
import { loadConfig, loadConfigText } from '#config/load.ts'

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

test('a configuration is printed, with places to fill in', async () => {
  const { code, out } = await recorded(['generate-config'])
  assert.equal(code, 0)
  assert.match(out, /^server_name: "SERVERNAME"$/m)
  assert.match(out, /DATADIR\/homeserver\.db/)
  assert.match(out, /CONFDIR\/SERVERNAME\.signing\.key/)
  assert.doesNotMatch(out, /^registration_shared_secret/m)
})

test('a printed configuration says what the flags say', () =>
  inFolder(async (folder) => {
    const header = join(folder, 'header')
    writeFileSync(header, '# mine\n')
    const flags = [
      '--config-dir',
      '/etc/m',
      '--data-dir',
      '/var/m',
      '--server-name',
      'example.org',
      '--generate-secrets',
    ]
    const more = ['--header-file', header, '--report-stats', 'no', '--open-private-ports', '--enable-metrics']
    const path = join(folder, 'out', 'homeserver.yaml')
    const { code } = await recorded(['generate-config', ...flags, ...more, '--enable-registration', '-o', path])
    assert.equal(code, 0)
    assert.equal(mode(path), '600')
    const text = readFileSync(path, 'utf8')
    assert.match(text, /^# mine\n\n# The configuration/)
    const loaded = loadConfigText(text.replace(/^log_config.*$/m, ''))
    assert.ok(loaded.ok, JSON.stringify(loaded))
    const { config } = loaded
    assert.equal(config.server.pidFile, '/var/m/homeserver.pid')
    assert.equal(config.signingKeys.path, '/etc/m/example.org.signing.key')
    assert.equal(config.registration.sharedSecret?.length, 50)
    assert.deepEqual(
      config.listeners.map(({ kind, address }) => [kind, address.kind === 'tcp' && address.hosts[0]]),
      [
        ['http', '::'],
        ['metrics', '::1'],
      ],
    )
    assert.ok(config.server.isMetricsEnabled && config.registration.isEnabled && config.registration.isTokenRequired)
  }))

test('a file with something in it is not overwritten', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'homeserver.yaml')
    writeFileSync(path, 'mine')
    const { code, err } = await recorded(['generate-config', '-o', path])
    assert.equal(code, 1)
    assert.match(err, /exists already/)
    assert.equal(readFileSync(path, 'utf8'), 'mine')
  }))

test('a configuration is written with all that it names, once', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'conf', 'homeserver.yaml')
    const key = join(folder, 'conf', 'example.org.signing.key')
    const flags = ['-c', path, '-H', 'example.org', '--data-directory', join(folder, 'data'), '--report-stats=no']
    const made = await recorded(['generate-config', '--generate-config', ...flags])
    assert.equal(made.code, 0, made.err)
    assert.equal(mode(path), '600')
    assert.equal(mode(key), '640')
    const loaded = loadConfig({ paths: [path] })
    assert.ok(loaded.ok)
    assert.deepEqual(loaded.notices, [])
    assert.equal(loaded.config.logging.outputs.length, 2)
    const before = [path, key].map((file) => readFileSync(file, 'utf8'))
    unlinkSync(join(folder, 'conf', 'example.org.log.config'))
    const again = await recorded(['generate-config', '--generate-keys', ...flags])
    assert.equal(again.code, 0)
    assert.match(again.out, /is not changed/)
    assert.deepEqual(
      [path, key].map((file) => readFileSync(file, 'utf8')),
      before,
    )
    assert.ok(existsSync(join(folder, 'conf', 'example.org.log.config')))
  }))

test('secrets can be kept out of the configuration', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'homeserver.yaml')
    const flags = ['-H', 'example.org', '--no-secrets-in-config', '--data-dir', folder]
    assert.equal((await recorded(['generate-config', '-c', path, ...flags])).code, 0)
    const loaded = loadConfig({ paths: [path] })
    assert.ok(loaded.ok)
    const secret = loaded.config.registration.sharedSecret ?? ''
    assert.equal(secret.length, 50)
    assert.doesNotMatch(readFileSync(path, 'utf8'), new RegExp(secret))
    assert.equal(mode(join(folder, 'example.org.registration_shared_secret')), '600')
  }))

test('a new configuration needs a name for the server', () =>
  inFolder(async (folder) => {
    const { code, err } = await recorded(['generate-config', '-c', join(folder, 'a.yaml')])
    assert.equal(code, 2)
    assert.match(err, /-H/)
  }))

test('settings of the log are printed', async () => {
  const { out } = await recorded(['generate-log-config', '-f', '/var/log/m.log'])
  assert.match(out, /filename: "\/var\/log\/m\.log"/)
})
