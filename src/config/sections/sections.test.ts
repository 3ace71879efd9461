import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfigText } from '#config/load.ts'
import { formatNotice, formatProblem } from '#config/problem.ts'

const SERVER = 'server_name: example.org\n'
const DATABASE = 'database: {name: sqlite3, args: {database: homeserver.db}}\n'
const LISTENERS = 'listeners: [{port: 8008, type: http}]\n'

const configOf = (text: string) => {
  const loaded = loadConfigText(text)
  assert.ok(loaded.ok, JSON.stringify(loaded))
  return loaded.config
}
const sentencesOf = (text: string): readonly string[] => {
  const loaded = loadConfigText(text)
  return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem(problem).replace(/^[^ ]+ /, ''))
}
const noticesOf = (text: string): readonly string[] =>
  loadConfigText(text).notices.map((notice) => formatNotice(notice).replace(/^[^ ]+ /, ''))

const listen = (listener: string) => `${SERVER}${DATABASE}listeners: [${listener}]\n`
const base = (text: string) => `${SERVER}${LISTENERS}${DATABASE}${text}`

test('a listener with a port listens on all addresses unless it names some', () => {
  const addressOf = (text: string) => configOf(listen(text)).listeners[0]?.address
  assert.deepEqual(addressOf('{port: 8008, type: http}'), { kind: 'tcp', port: 8008, hosts: ['::', '0.0.0.0'] })
  assert.deepEqual(addressOf("{port: 1, type: metrics, bind_address: '::1'}"), { kind: 'tcp', port: 1, hosts: ['::1'] })
  assert.deepEqual(addressOf("{port: 1, type: http, bind_addresses: ['::1'], bind_address: 127.0.0.1}"), {
    kind: 'tcp',
    port: 1,
    hosts: ['::1', '127.0.0.1'],
  })
})

test('the permissions of a Unix socket are octal, however they are written', () => {
  const modeOf = (mode: string) => {
    const address = configOf(listen(`{path: /run/s.sock, type: http, ${mode}}`)).listeners[0]?.address
    return address?.kind === 'unix' ? address.mode.toString(8) : undefined
  }
  assert.equal(modeOf(''), '666')
  assert.equal(modeOf('mode: 660'), '660')
  assert.equal(modeOf('mode: "660"'), '660')
  assert.equal(modeOf('mode: 0660'), '660')
  assert.equal(modeOf('mode: "0o600"'), '600')
  assert.deepEqual(sentencesOf(listen('{path: /run/s.sock, type: http, mode: 999}')), [
    'listeners.0.mode: Expected permissions in octal such as `660`, and got 999.',
  ])
})

test('forwarded addresses are believed on Unix sockets, and elsewhere only when asked', () => {
  const trustOf = (text: string) => configOf(listen(text)).listeners[0]?.trustsForwardedFor
  assert.equal(trustOf('{port: 1, type: http}'), false)
  assert.equal(trustOf('{port: 1, type: http, x_forwarded: true}'), true)
  assert.equal(trustOf('{path: /s, type: http}'), true)
  assert.equal(trustOf('{path: /s, type: http, x_forwarded: false}'), false)
})

test('the resources of a listener are one list of names', () => {
  const text =
    '{port: 1, type: http, request_id_header: X-Id, resources: [{names: [client]}, {names: [client, media]}]}'
  const [listener] = configOf(listen(text)).listeners
  assert.deepEqual(listener?.resources, ['client', 'media'])
  assert.equal(listener?.requestIdHeader, 'x-id')
})

test('a listener that cannot be is refused with the way out', () => {
  assert.deepEqual(sentencesOf(listen('{port: 8448, type: http, tls: true}')), [
    'listeners.0.tls: Myelin does not do TLS itself: put a reverse proxy in front of it, and set tls to false here.',
  ])
  assert.deepEqual(sentencesOf(listen('{port: 1, path: /s, type: http}')), [
    'listeners.0.path: A listener has either a port or a path, not both.',
  ])
  assert.deepEqual(sentencesOf(listen('{type: http}')), [
    'listeners.0: A listener needs a port, or the path of a Unix socket.',
  ])
  assert.deepEqual(sentencesOf(listen('{port: 1, type: http, resources: [{names: [clients]}]}')).length, 1)
})

test('a manhole is left out and told, and so is a server that nobody can reach', () => {
  const text = listen('{port: 9000, type: manhole}')
  assert.deepEqual(configOf(text).listeners, [])
  assert.deepEqual(noticesOf(text), ['listeners.0.type: Does not apply: a manhole runs code inside Python.'])
  assert.deepEqual(noticesOf(`${SERVER}${DATABASE}`), [
    'listeners: No listener is configured: nobody can reach this server.',
  ])
})

test('registration that anybody can use without a check is refused unless it is confirmed', () => {
  assert.match(sentencesOf(base('enable_registration: true')).join(), /enable_registration_without_verification/)
  const confirmed = 'enable_registration: true\nenable_registration_without_verification: true\n'
  assert.equal(configOf(base(confirmed)).registration.isEnabled, true)
  assert.equal(
    configOf(base('enable_registration: on\nregistration_requires_token: on')).registration.isTokenRequired,
    true,
  )
  assert.deepEqual(sentencesOf(base('enable_registration_without_verification: true')), [])
})

test('registration is not opened where the check that was asked for does not exist', () => {
  const confirmed = 'enable_registration: true\nenable_registration_without_verification: true\n'
  assert.match(
    sentencesOf(base(`${confirmed}registrations_require_3pid: [email]`)).join(),
    /^registrations_require_3pid/,
  )
  assert.match(
    sentencesOf(base('enable_registration: true\nenable_registration_captcha: true')).join(),
    /^enable_regis/,
  )
})

test('no token outlives its session', () => {
  assert.deepEqual(sentencesOf(base('session_lifetime: 1h\nrefresh_token_lifetime: 2h')), [
    'refresh_token_lifetime: Expected at most session_lifetime, and got more.',
  ])
  const lifetimeOf = (text: string) => configOf(base(text)).sessions.refreshableAccessTokenLifetimeMs
  assert.equal(lifetimeOf(''), 300_000)
  assert.equal(lifetimeOf('session_lifetime: 1m'), 60_000)
  assert.equal(lifetimeOf('refreshable_access_token_lifetime: null'), undefined)
})

test('passwords can be for logging in, for confirming only, or for nothing', () => {
  const useOf = (text: string) => configOf(base(text)).passwords.use
  assert.equal(useOf(''), 'always')
  assert.equal(useOf('password_config: {enabled: only_for_reauth}'), 'onlyForReauth')
  assert.equal(useOf('password_config: {enabled: no}'), 'never')
  assert.equal(sentencesOf(base('password_config: {enabled: sometimes}')).length, 1)
})

test('the name of the server is a host', () => {
  const isGood = (name: string) => loadConfigText(`server_name: ${JSON.stringify(name)}\n${DATABASE}`).ok
  for (const name of ['example.org', 'localhost:8448', '1.2.3.4', '[2001:db8::1]:8448', 'xn--bcher-kva.example'])
    assert.ok(isGood(name), name)
  for (const name of ['', 'https://example.org', 'ex ample', 'a_b.org', '[::zz]', 'example.org:', 'a'.repeat(300)])
    assert.ok(!isGood(name), name)
})

test('the address for clients ends in a slash and is known to be given or not', () => {
  const { server } = configOf(base('public_baseurl: https://matrix.example.org'))
  assert.equal(server.publicBaseUrl, 'https://matrix.example.org/')
  assert.equal(server.isPublicBaseUrlGiven, true)
  assert.equal(configOf(base('')).server.publicBaseUrl, 'https://example.org/')
  assert.equal(configOf(base('')).server.isPublicBaseUrlGiven, false)
  assert.equal(sentencesOf(base('public_baseurl: matrix.example.org')).length, 1)
})

test('old signing keys are public keys with an end', () => {
  const key = 'XGX0JRS2Af3be3knz2fBiRbApjm2Dh61gXDJA8kcJNI'
  const text = base(`old_signing_keys:\n  "ed25519:a_AbCd": {key: "${key}=", expired_ts: 123}\n`)
  assert.deepEqual(configOf(text).signingKeys.old, [{ keyId: 'ed25519:a_AbCd', publicKey: key, expiredTs: 123 }])
  assert.deepEqual(sentencesOf(base('old_signing_keys: {"ed25519:a": {key: short, expired_ts: 1}}')), [
    'old_signing_keys.ed25519:a.key: Expected a public key: 32 bytes in base64.',
  ])
  assert.equal(sentencesOf(base(`old_signing_keys: {"rsa": {key: ${key}, expired_ts: 1}}`)).length, 1)
})

test('rooms are as the file says', () => {
  const { rooms } = configOf(
    base(`default_room_version: 10
encryption_enabled_by_default_for_room_type: off
redaction_retention_period: null
filter_timeline_limit: -1
default_power_level_content_override: {public_chat: {users_default: 5}, private_chat: null}
`),
  )
  assert.equal(rooms.defaultVersion, '10')
  assert.equal(rooms.encryptedByDefault, 'off')
  assert.equal(rooms.redactedContentRetentionMs, undefined)
  assert.equal(rooms.maxTimelineLimit, undefined)
  assert.deepEqual(rooms.powerLevelOverride, { public_chat: { users_default: 5 }, private_chat: undefined })
  assert.equal(sentencesOf(base('default_power_level_content_override: {chat: {}}')).length, 1)
})

test('an experiment that Myelin does not have is told', () => {
  assert.deepEqual(noticesOf(base('experimental_features: {msc1_enabled: true, msc2_enabled: false}')), [
    'experimental_features.msc1_enabled: Not used yet: Myelin has no switch for this experiment.',
  ])
})

test('the well-known file for clients cannot be given what other options say', () => {
  assert.deepEqual(sentencesOf(base('extra_well_known_client_content: {m.homeserver: {}}')), [
    'extra_well_known_client_content.m.homeserver: m.homeserver is filled in from other options and cannot be given here.',
  ])
})
