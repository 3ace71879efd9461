import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { after, before, test } from 'node:test'
import { Authority, type Issued } from '#test/helpers/certificates.ts'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { type Surroundings, type Tried, tryConnecting } from '#test/helpers/postgres-connect.ts'

let cluster: PostgresCluster
let authority: Authority
let other: Authority
let server: Issued
let folder: string

before(async () => {
  authority = new Authority()
  other = new Authority('Somebody else')
  folder = mkdtempSync(join(tmpdir(), 'myelin-tls-'))
  server = authority.issue('cn.test', { sans: 'DNS:localhost,DNS:*.db.test,IP:127.0.0.1' })
  cluster = await PostgresCluster.start({
    hba: ['host all postgres 127.0.0.1/32 trust'],
    settings: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    files: { 'server.crt': readFileSync(server.certificate, 'utf8'), 'server.key': readFileSync(server.key, 'utf8') },
  })
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  authority[Symbol.dispose]()
  other[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const over = (args: Record<string, string>, given: Surroundings = {}): Promise<Tried> =>
  tryConnecting(
    { host: 'one.db.test', hostaddr: '127.0.0.1', port: String(cluster.port), user: 'postgres', ...args },
    given,
  )
const assertTls = (tried: Tried, version?: string): void => {
  assert.ok(tried.ok, tried.ok ? '' : tried.message)
  assert.ok(tried.tls !== undefined)
  if (version !== undefined) assert.equal(tried.tls, version)
}
const assertOut = (tried: Tried, pattern: RegExp): void => {
  assert.equal(tried.ok, false)
  if (!tried.ok) assert.match(tried.message, pattern)
}

test('verify-full holds the name of the host against the certificate, verify-ca does not', async () => {
  const sslrootcert = authority.certificate
  assertTls(await over({ sslrootcert, sslmode: 'verify-full' }))
  assertTls(await over({ sslrootcert, sslmode: 'verify-full', host: '127.0.0.1' }))
  assertTls(await over({ sslrootcert, sslmode: 'verify-ca', host: 'elsewhere.test' }))
  for (const host of ['elsewhere.test', 'db.test', 'a.b.db.test', 'cn.test', '127.0.0.2'])
    assertOut(await over({ sslrootcert, sslmode: 'verify-full', host }), /does not match host name/)
  const args = {
    hostaddr: '127.0.0.1',
    port: String(cluster.port),
    user: 'postgres',
    sslrootcert,
    sslmode: 'verify-full',
  }
  assertOut(await tryConnecting(args), /host name must be specified for a verified SSL connection/)
})

test('a server of another authority is refused in every mode once there is a root certificate', async () => {
  const sslrootcert = other.certificate
  for (const sslmode of ['require', 'verify-ca', 'verify-full'])
    assertOut(await over({ sslrootcert, sslmode }), /SSL error: .*(certificate|issuer)/)
  // Whoever only prefers TLS goes on without.
  const preferred = await over({ sslrootcert, sslmode: 'prefer' })
  assert.ok(preferred.ok && preferred.tls === undefined)
})

test('a root certificate file without a certificate is no authority, and whoever only prefers TLS goes on without', async () => {
  const sslrootcert = join(folder, 'junk')
  for (const text of ['', 'no certificate']) {
    writeFileSync(sslrootcert, text)
    assertOut(
      await over({ sslrootcert, sslmode: 'require' }),
      /could not read root certificate file ".*junk": there is no/,
    )
    const preferred = await over({ sslrootcert, sslmode: 'prefer' })
    assert.ok(preferred.ok && preferred.tls === undefined)
  }
  const { certificate: sslcert } = authority.issue('postgres')
  const keyless = await over({ sslcert, sslkey: join(folder, 'nosuch'), sslmode: 'prefer' })
  assert.ok(keyless.ok && keyless.tls === undefined)
})

test('the root certificate is looked for at home, and demanded by verify-ca and verify-full', async () => {
  mkdirSync(join(folder, '.postgresql'))
  assertOut(
    await over({ sslmode: 'verify-ca' }, { home: folder }),
    /root certificate file ".*\.postgresql\/root\.crt" does not exist/,
  )
  assertTls(await over({ sslmode: 'require' }, { home: folder }))
  copyFileSync(authority.certificate, join(folder, '.postgresql/root.crt'))
  assertTls(await over({ sslmode: 'verify-full' }, { home: folder }))
  copyFileSync(other.certificate, join(folder, '.postgresql/root.crt'))
  assertOut(await over({ sslmode: 'require' }, { home: folder }), /SSL error/)
})

test('the authorities of this machine are trusted where that is said', () => {
  const script = `
    import { tryConnecting } from '#test/helpers/postgres-connect.ts'
    const args = { hostaddr: '127.0.0.1', port: '${cluster.port}', user: 'postgres', sslrootcert: 'system' }
    const names = ['one.db.test', 'elsewhere.test']
    const tried = await Promise.all(names.map((host) => tryConnecting({ ...args, host })))
    console.log(JSON.stringify(tried.map(({ ok }) => ok)))`
  const run = (file: string) =>
    execFileSync(execPath, ['--input-type=module', '-e', script], {
      env: { ...env, SSL_CERT_FILE: file, SSL_CERT_DIR: '/nonexistent' },
      encoding: 'utf8',
      cwd: new URL('../..', import.meta.url),
    }).trim()
  assert.equal(run(authority.certificate), '[true,false]')
  assert.equal(run(other.certificate), '[false,false]')
})

test('a revoked certificate is refused, by a file or by a folder', async () => {
  const args = { sslrootcert: authority.certificate, sslmode: 'verify-full' }
  const none = authority.revoke()
  assertTls(await over({ ...args, sslcrl: none }))
  assertTls(await over({ ...args, sslcrl: none, sslcrldir: folder }))
  const list = authority.revoke(server)
  assertOut(await over({ ...args, sslcrl: list }), /SSL error: certificate revoked/)
  const lists = join(folder, 'lists')
  mkdirSync(lists)
  for (const sslcrldir of [lists, join(folder, 'nosuch')])
    assertOut(await over({ ...args, sslcrldir }), /there is no certificate revocation list in/)
  const hash = execFileSync('openssl', ['crl', '-hash', '-noout', '-in', list], { encoding: 'utf8' }).trim()
  copyFileSync(list, join(lists, `${hash}.r0`))
  assertOut(await over({ ...args, sslcrldir: lists }), /SSL error: certificate revoked/)
})

test('TLS from the first byte, and versions of TLS and of the protocol', async () => {
  assertTls(await over({ sslmode: 'require', sslnegotiation: 'direct' }))
  assertTls(await over({ sslmode: 'require', ssl_max_protocol_version: 'TLSv1.2' }), 'TLSv1.2')
  assertTls(await over({ sslmode: 'require', ssl_min_protocol_version: 'TLSv1.3' }), 'TLSv1.3')
  assertTls(await over({ sslmode: 'require', sslsni: '0' }))
  assertTls(await over({ max_protocol_version: 'latest' }))
  assertTls(await over({ min_protocol_version: '3.2' }))
})

test('the secrets of TLS are written down only where that is said', async () => {
  const file = join(folder, 'keys.log')
  assertTls(await over({ sslmode: 'require', sslkeylogfile: file }))
  assert.match(readFileSync(file, 'utf8'), /^CLIENT_HANDSHAKE_TRAFFIC_SECRET /m)
})

test('there is no TLS over a Unix socket, nor on a server without it', async () => {
  const local = await tryConnecting({
    host: cluster.sockets,
    port: String(cluster.port),
    user: 'postgres',
    sslmode: 'require',
  })
  assert.ok(local.ok && local.tls === undefined)
  await using plain = await PostgresCluster.start({ hba: ['host all postgres 127.0.0.1/32 trust'] })
  const at = { host: '127.0.0.1', port: String(plain.port), user: 'postgres' }
  const preferred = await tryConnecting({ ...at, sslmode: 'prefer' })
  assert.ok(preferred.ok && preferred.tls === undefined)
  assertOut(await tryConnecting({ ...at, sslmode: 'require' }), /server does not support SSL, but SSL was required/)
})
