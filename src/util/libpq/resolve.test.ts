import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Surroundings } from './gather.ts'
import { resolveParameters } from './resolve.ts'

const SERVICE = '[matrix]\nhost=service.test\nuser=service\nsslmode=require\n'
const surroundings = (given: Partial<Surroundings> = {}): Surroundings => ({
  environment: {},
  home: '/home/me',
  account: 'me',
  socketFolder: '/run/pg',
  readFile: (path) => (path === '/home/me/.pg_service.conf' ? SERVICE : undefined),
  ...given,
})
const resolved = (args: Record<string, string>, given: Partial<Surroundings> = {}) => {
  const result = resolveParameters(args, surroundings(given))
  assert.ok(result.ok, JSON.stringify(result))
  return result.parameters
}
const problems = (args: Record<string, string>, given: Partial<Surroundings> = {}) => {
  const result = resolveParameters(args, surroundings(given))
  return result.ok ? [] : result.problems.map(({ origin, sentence }) => `${origin}: ${sentence}`)
}

test('without anything it is the Unix socket, the account and its database', () => {
  const { hosts, user, dbname, passwordFile, tls, protocol, targetSession } = resolved({})
  assert.deepEqual(hosts, [
    {
      name: '/run/pg',
      place: { kind: 'socket', path: '/run/pg' },
      isNamed: false,
      passwordName: 'localhost',
      port: 5432,
    },
  ])
  assert.deepEqual([user, dbname, passwordFile, targetSession], ['me', 'me', '/home/me/.pgpass', 'any'])
  assert.deepEqual(
    [tls.mode, tls.minVersion, tls.rootCertificate],
    ['prefer', 'TLSv1.2', '/home/me/.postgresql/root.crt'],
  )
  assert.deepEqual(protocol, { min: 0, max: 0 })
})

test('arguments count before the connection string, that before the service, that before the environment', () => {
  const environment = {
    PGUSER: 'variable',
    PGPORT: '7',
    PGHOST: 'variable.test',
    PGAPPNAME: 'variable',
    PGTZ: 'UTC',
    PGGEQO: 'default',
  }
  const { user, hosts, tls, applicationName, session, dbname } = resolved(
    { service: 'matrix', dsn: 'user=string dbname=string', database: 'argument' },
    { environment },
  )
  assert.deepEqual([user, dbname, hosts[0]?.name, hosts[0]?.port], ['string', 'argument', 'service.test', 7])
  assert.deepEqual([tls.mode, applicationName, session], ['require', 'variable', { timezone: 'UTC' }])
})

test('hosts, addresses and ports are lists', () => {
  const places = (args: Record<string, string>) =>
    resolved(args).hosts.map(({ place, port, passwordName }) => [...Object.values(place), passwordName, port])
  assert.deepEqual(places({ host: 'a,/sock,@abstract,', port: '1,2,3,' }), [
    ['name', 'a', 'a', 1],
    ['socket', '/sock', '/sock', 2],
    ['socket', '@abstract', '@abstract', 3],
    ['socket', '/run/pg', 'localhost', 5432],
  ])
  assert.deepEqual(places({ host: 'a,b', hostaddr: '10.0.0.1,', port: '9' }), [
    ['address', '10.0.0.1', 'a', 9],
    ['name', 'b', 'b', 9],
  ])
  assert.deepEqual(places({ hostaddr: '::1' }), [['address', '::1', '::1', 5432]])
  assert.match(
    problems({ host: 'a,b,c', port: '1,2' }).join(),
    /^port: Expected one port, or as many as there are hosts \(3\)/,
  )
  assert.match(
    problems({ host: 'a', hostaddr: '1.1.1.1,2.2.2.2' }).join(),
    /^host: Expected as many hosts as addresses/,
  )
})

test('the keepalives are as they are given', () => {
  const { keepalives, tcpUserTimeoutMs, connectTimeoutMs } = resolved({
    keepalives_idle: '10',
    keepalives_interval: '0',
    keepalives_count: '3',
    tcp_user_timeout: '4000',
    connect_timeout: '-1',
  })
  assert.deepEqual(keepalives, { isOn: true, idleMs: 10_000, intervalMs: undefined, count: 3 })
  assert.deepEqual([tcpUserTimeoutMs, connectTimeoutMs], [4000, undefined])
  assert.equal(resolved({ keepalives: '0' }).keepalives.isOn, false)
})

test('what does not go together is refused, and where it came from is said', () => {
  assert.equal(resolved({ sslrootcert: 'system' }).tls.mode, 'verify-full')
  assert.match(
    problems({ sslrootcert: 'system', sslmode: 'require' }).join(),
    /^sslmode: Expected verify-full with sslrootcert=system/,
  )
  assert.match(problems({ sslnegotiation: 'direct' }).join(), /^sslnegotiation|^sslmode: Expected require/)
  assert.match(problems({ ssl_min_protocol_version: 'TLSv1.3', ssl_max_protocol_version: 'TLSv1.2' }).join(), /at most/)
  assert.match(problems({ min_protocol_version: '3.2', max_protocol_version: '3.0' }).join(), /at most/)
  assert.match(problems({ host: '/sock', requirepeer: 'postgres' }).join(), /^requirepeer: /)
  assert.deepEqual(problems({ host: 'tcp.test', requirepeer: 'postgres' }), [])
  assert.match(problems({}, { environment: { PGSSLMODE: 'yes' } }).join(), /^PGSSLMODE: Expected one of disable/)
  assert.match(problems({}, { environment: { PGGSSENCMODE: 'require' } }).join(), /^PGGSSENCMODE: /)
  assert.match(problems({ service: 'none' }).join(), /^service: There is no service none in/)
  assert.match(
    problems({ service: 'matrix', servicefile: '/nosuch' }).join(),
    /^service: The service file \/nosuch is not/,
  )
  assert.match(problems({ dbname: 'a', database: 'b' }).join(), /either database or dbname/)
  assert.match(problems({ async: '1' }).join(), /^async: It is a setting of the Python driver/)
  assert.match(problems({ nosuch: '1' }).join(), /^nosuch: There is no connection parameter nosuch/)
  assert.match(problems({}, { account: undefined }).join(), /^user: /)
})

test('an old way to demand TLS is heard', () => {
  assert.equal(resolved({}, { environment: { PGREQUIRESSL: '1' } }).tls.mode, 'require')
  assert.equal(resolved({ sslmode: 'disable' }, { environment: { PGREQUIRESSL: '1' } }).tls.mode, 'disable')
  assert.equal(resolved({}, { environment: { PGREQUIRESSL: '1', PGSSLMODE: 'disable' } }).tls.mode, 'disable')
  assert.equal(resolved({}, { environment: { PGREQUIRESSL: '0' } }).tls.mode, 'prefer')
})
