import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemRandom } from '#util/random.ts'
import type { Config } from './config.ts'
import { topLevel } from './config.ts'
import type { FileAccess } from './files.ts'
import { noFiles } from './files.ts'
import { loadConfig, loadConfigText } from './load.ts'
import { formatNotice, formatProblem } from './problem.ts'

const BASE = `server_name: example.org
listeners: [{port: 8008, type: http, resources: [{names: [client, federation]}]}]
database: {name: sqlite3, args: {database: /var/homeserver.db}}
`
const withFiles = (files: Readonly<Record<string, string>>): FileAccess => ({
  ...noFiles,
  read: (path) => {
    const text = files[path]
    return text === undefined ? { kind: 'missing' } : { kind: 'text', text }
  },
})
const load = (text: string, files: Readonly<Record<string, string>> = {}) =>
  loadConfigText(`${BASE}${text}`, withFiles(files))
const config = (text: string, files: Readonly<Record<string, string>> = {}): Config => {
  const loaded = load(text, files)
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return loaded.config
}
const problems = (text: string, files: Readonly<Record<string, string>> = {}): readonly string[] => {
  const loaded = load(text, files)
  return loaded.ok ? [] : loaded.problems.map(formatProblem)
}
const notices = (text: string): readonly string[] => load(text).notices.map(formatNotice)

function inFolder(files: Readonly<Record<string, string>>, run: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-config-'))
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    run(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('of a top-level key in several files the last one counts, as a whole', () =>
  inFolder(
    {
      'a.yaml': `${BASE}rc_message: {per_second: 5}\nmax_upload_size: 1M\n`,
      'b.yaml': 'rc_message: {burst_count: 7}\n',
    },
    (folder) => {
      const loaded = loadConfig({ paths: [join(folder, 'a.yaml'), join(folder, 'b.yaml')] })
      assert.ok(loaded.ok)
      assert.deepEqual(loaded.config.rateLimits.message, { perSecond: 0.2, burst: 7 })
      assert.equal(loaded.config.media.maxUploadBytes, 1_048_576)
    },
  ))

test('of a folder all .yaml files count, in the order of their names', () =>
  inFolder(
    { '2.yaml': 'max_upload_size: 2M', '1.yaml': `${BASE}max_upload_size: 1M`, '3.yml': 'nonsense', '4.yaml~': ']' },
    (folder) => {
      mkdirSync(join(folder, '5.yaml'))
      const loaded = loadConfig({ paths: [folder] })
      assert.ok(loaded.ok)
      assert.deepEqual(loaded.files, [join(folder, '1.yaml'), join(folder, '2.yaml')])
      assert.equal(loaded.config.media.maxUploadBytes, 2_097_152)
      assert.equal(loaded.config.signingKeys.path, join(folder, 'example.org.signing.key'))
    },
  ))

test('files that cannot be read are all told', () =>
  inFolder({ 'a.yaml': 'a: [', 'b.yaml': '- 1' }, (folder) => {
    const loaded = loadConfig({ paths: ['a.yaml', 'b.yaml', 'c.yaml'].map((name) => join(folder, name)) })
    assert.ok(!loaded.ok)
    assert.deepEqual(
      loaded.problems.map((problem) => formatProblem(problem).replaceAll(`${folder}/`, '').slice(0, 12)),
      ['a.yaml:1:5: ', 'b.yaml:1:1: ', 'c.yaml: Ther'],
    )
  }))

test('every error is told at once, with its line and column', () => {
  assert.deepEqual(
    problems(`max_upload_size: lots
enable_metrics: "yes"
rc_login: {address: {per_second: many}}
bcrypt_rounds: 99
`),
    [
      'homeserver.yaml:4:18 max_upload_size: Expected a size such as `50M`, and got "lots".',
      'homeserver.yaml:5:17 enable_metrics: Expected true or false, and got a text.',
      'homeserver.yaml:6:34 rc_login.address.per_second: Expected a number, and got a text.',
      'homeserver.yaml:7:16 bcrypt_rounds: Expected at most 31, and got 99.',
    ],
  )
})

test('an unknown option is an error that asks what was meant', () => {
  assert.deepEqual(
    problems('max_uplod_size: 5M\npassword_config:\n  policy:\n    require_digits: true\ncolour: red\n'),
    [
      'homeserver.yaml:4:1 max_uplod_size: There is no such option. Did you mean max_upload_size?',
      'homeserver.yaml:7:5 password_config.policy.require_digits: There is no such option. Did you mean require_digit?',
      'homeserver.yaml:8:1 colour: There is no such option.',
    ],
  )
})

test('a missing required option is an error', () => {
  const loaded = loadConfigText('report_stats: no\n')
  assert.ok(!loaded.ok)
  assert.deepEqual(
    loaded.problems.map(({ option }) => option),
    ['server_name', 'database'],
  )
})

test('an option of Synapse that is not used is told, with its place', () => {
  assert.deepEqual(
    notices('presence:\n  enabled: true\nredis: {enabled: true}\nfederation_domain_whitelist: [a.org]\n'),
    [
      'homeserver.yaml:4:1 presence: Not used yet: whether users are online is not passed on.',
      'homeserver.yaml:6:1 redis: Does not apply: processes of Myelin need no configuration of their own: they meet in the database.',
      'homeserver.yaml:7:1 federation_domain_whitelist: Not used yet: any server may be talked to. (This protection is not in force.)',
    ],
  )
})

test('an option that asks for what happens anyway is not told', () => {
  assert.deepEqual(
    notices('report_stats: false\nurl_preview_enabled: no\nexperimental_features: null\npresence:\n'),
    [],
  )
})

test('an option of one file and a notice of another know their files', () =>
  inFolder({ 'a.yaml': BASE, 'b.yaml': '\nmodules: [{module: x}]\n' }, (folder) => {
    const loaded = loadConfig({ paths: [folder] })
    assert.deepEqual(loaded.notices[0]?.place, { file: join(folder, 'b.yaml'), line: 2, column: 1 })
  }))

test('what an empty file lacks is told with its name', () =>
  inFolder({ 'a.yaml': '' }, (folder) => {
    const loaded = loadConfig({ paths: [folder] })
    assert.ok(!loaded.ok)
    assert.deepEqual(loaded.problems[0]?.place, { file: join(folder, 'a.yaml'), line: 1, column: 1 })
  }))

test('a secret can stand in a file of its own', () => {
  const files = { '/etc/secret': 'hush hush\n' }
  assert.equal(config('registration_shared_secret_path: /etc/secret\n', files).registration.sharedSecret, 'hush hush')
  assert.equal(config('password_config: {pepper_path: /etc/secret}\n', files).passwords.pepper, 'hush hush')
  assert.equal(config('registration_shared_secret: ""\n').registration.sharedSecret, undefined)
})

test('a secret that stands in two places, or in none, is an error', () => {
  assert.deepEqual(
    problems('registration_shared_secret: x\nregistration_shared_secret_path: /etc/secret\n', { '/etc/secret': 'y' }),
    [
      'homeserver.yaml:5:34 registration_shared_secret_path: registration_shared_secret is given as well, and only one of the two can count.',
    ],
  )
  assert.deepEqual(problems('password_config: {pepper_path: /nowhere}\n'), [
    'homeserver.yaml:4:32 password_config.pepper_path: There is no file /nowhere.',
  ])
  assert.deepEqual(problems('password_config: {pepper_path: /empty}\n', { '/empty': '\n' }), [
    'homeserver.yaml:4:32 password_config.pepper_path: The file /empty is empty.',
  ])
})

test('a missing file for the registration secret is made, and only when asked', () =>
  inFolder({}, (folder) => {
    const secret = join(folder, 'secret')
    const path = join(folder, 'a.yaml')
    writeFileSync(path, `${BASE}registration_shared_secret_path: ${secret}\n`)
    const looked = loadConfig({ paths: [path] })
    assert.ok(looked.ok)
    assert.equal(looked.config.registration.sharedSecret, undefined)
    assert.match(looked.notices[0]?.sentence ?? '', /it is made at the next start/)
    const started = loadConfig({ paths: [path], random: systemRandom })
    assert.ok(started.ok)
    assert.match(started.config.registration.sharedSecret ?? '', /^[A-Za-z]{50}$/)
    assert.equal(readFileSync(secret, 'utf8'), `${started.config.registration.sharedSecret}\n`)
    assert.equal(statSync(secret).mode & 0o777, 0o600)
  }))

test('an error does not repeat a secret', () => {
  const text = problems('registration_shared_secret: [hush]\npassword_config: {pepper: {hush: 1}}\n').join()
  assert.match(text, /Expected a text, and got a list/)
  assert.doesNotMatch(text, /hush/)
})

test('relative paths start at the working directory', () => {
  assert.equal(config('media_store_path: media\n').media.storePath, '/media')
  assert.equal(config('').media.storePath, '/media_store')
  assert.equal(config('').signingKeys.path, '/example.org.signing.key')
})

test('null counts as left out', () => {
  assert.equal(config('max_upload_size:\nrc_message: null\n').media.maxUploadBytes, 52_428_800)
})

test('no text and no value makes the configuration throw', () => {
  const keys = topLevel.options.map((option) => option.key)
  const anyKey = fc.oneof(fc.constantFrom(...keys), fc.string())
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(null, true, false, 0, -1, 1.5, '', 'x', '5M', '1d', 'sqlite3', 'psycopg2', 'http'),
      fc.string(),
      fc.double(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(
        fc.constantFrom(
          'enabled',
          'per_second',
          'port',
          'path',
          'type',
          'resources',
          'names',
          'args',
          'name',
          'policy',
          'key',
        ),
        tie('value'),
        { maxKeys: 4 },
      ),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(anyKey, value, { maxKeys: 6 }), (top) => {
      loadConfigText(JSON.stringify(top))
    }),
    { numRuns: 300 },
  )
  fc.assert(
    fc.property(fc.string(), (text) => {
      loadConfigText(text)
    }),
  )
})
