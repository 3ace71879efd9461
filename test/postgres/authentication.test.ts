import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Authority } from '#test/helpers/certificates.ts'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { type Tried, tryConnecting } from '#test/helpers/postgres-connect.ts'

const PASSWORD = 'a secret: with, odd ß\u00a0 characters'
const LOOPBACK = '127.0.0.1/32'
const me = userInfo().username

let cluster: PostgresCluster
let authority: Authority
let other: Authority
let folder: string

before(async () => {
  authority = new Authority()
  other = new Authority('Somebody else')
  folder = mkdtempSync(join(tmpdir(), 'myelin-auth-'))
  const server = authority.issue('localhost', { sans: 'DNS:localhost,DNS:*.db.test,IP:127.0.0.1' })
  const read = (path: string) => readFileSync(path, 'utf8')
  cluster = await PostgresCluster.start({
    hba: [
      'local all peered peer map=us',
      'local all stranger peer',
      'local all trusted trust',
      `host all trusted ${LOOPBACK} trust`,
      `host all identified ${LOOPBACK} ident map=us`,
      `host all plain ${LOOPBACK} password`,
      `host all hashed ${LOOPBACK} md5`,
      `host all scrammed ${LOOPBACK} scram-sha-256`,
      `hostssl all certified ${LOOPBACK} cert`,
      `hostssl all tlsonly ${LOOPBACK} trust`,
      `hostnossl all clearonly ${LOOPBACK} scram-sha-256`,
    ],
    ident: [`us ${me} peered`, 'us identified identified'],
    settings: { ssl: 'on', ssl_ca_file: 'ca.crt', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    files: {
      'server.crt': read(server.certificate),
      'server.key': read(server.key),
      'ca.crt': read(authority.certificate),
    },
  })
  const secret = PASSWORD.replaceAll("'", "''")
  await cluster.sql(
    ...['peered', 'stranger', 'trusted', 'identified', 'certified', 'tlsonly'].map(
      (name) => `CREATE ROLE ${name} LOGIN`,
    ),
    ...['plain', 'scrammed', 'clearonly'].map((name) => `CREATE ROLE ${name} LOGIN PASSWORD '${secret}'`),
    "SET password_encryption = 'md5'",
    `CREATE ROLE hashed LOGIN PASSWORD '${secret}'`,
  )
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  authority[Symbol.dispose]()
  other[Symbol.dispose]()
  rmSync(folder, { recursive: true, force: true })
})

const over = (user: string, args: Record<string, string> = {}): Promise<Tried> =>
  tryConnecting({ host: '127.0.0.1', port: String(cluster.port), database: 'postgres', user, ...args })

const assertIn = (tried: Tried, user: string): void => {
  assert.ok(tried.ok, tried.ok ? '' : tried.message)
  assert.equal(tried.user, user)
}
const assertOut = (tried: Tried, ...patterns: readonly RegExp[]): void => {
  assert.equal(tried.ok, false)
  if (tried.ok) return
  for (const pattern of patterns) assert.match(tried.message, pattern)
  assert.doesNotMatch(tried.message, /a secret/)
}

test('the server trusts us', async () => assertIn(await over('trusted'), 'trusted'))

test('the operating system says who we are, over the Unix socket (peer)', async () => {
  assertIn(await over('peered', { host: cluster.sockets }), 'peered')
  assertOut(
    await over('stranger', { host: cluster.sockets }),
    /FATAL: Peer authentication failed for user "stranger"/,
    /add "local postgres stranger scram-sha-256".*before "local all all peer"/s,
  )
})

test('the ident server of this machine says who we are', async (t) => {
  const refused = await over('identified')
  assertOut(
    refused,
    /Ident authentication failed for user "identified"/,
    /"host postgres identified ::1\/128 trust".*before "host all all ::1\/128 ident"/s,
  )
  const identd = await startIdentd('identified')
  if (identd === undefined) {
    t.diagnostic('skipped in part: port 113 cannot be had, so no ident server runs')
    return
  }
  assertIn(await over('identified'), 'identified')
  identd.close()
})

for (const [user, method] of [
  ['plain', 'password'],
  ['hashed', 'md5'],
  ['scrammed', 'scram-sha-256'],
] as const) {
  test(`a password is asked for by ${method}`, async () => {
    assertIn(await over(user, { password: PASSWORD }), user)
    assertIn(await over(user, { password: PASSWORD, sslmode: 'disable', require_auth: method }), user)
    assertIn(await over(user, { password: PASSWORD, require_auth: '!none,!gss' }), user)
    assertOut(await over(user, { password: 'wrong secret' }), /password authentication failed for user/)
    assertOut(await over(user), /no password supplied/, /Add the password/)
    assertOut(
      await over(user, { password: PASSWORD, require_auth: `!${method}` }),
      /server requested .* authentication/,
    )
    assertOut(await over(user, { password: PASSWORD, require_auth: 'none' }), /authentication method requirement/)
  })
}

test('SCRAM is bound to the certificate where that is demanded', async () => {
  const bound = await over('scrammed', { password: PASSWORD, channel_binding: 'require', sslmode: 'require' })
  assertIn(bound, 'scrammed')
  assertIn(await over('scrammed', { password: PASSWORD, channel_binding: 'disable', sslmode: 'require' }), 'scrammed')
  assertOut(
    await over('scrammed', { password: PASSWORD, channel_binding: 'require', sslmode: 'disable' }),
    /channel binding required, but SSL not in use/,
  )
  assertOut(
    await over('plain', { password: PASSWORD, channel_binding: 'require', sslmode: 'require' }),
    /channel binding required/,
  )
  assertOut(await over('trusted', { channel_binding: 'require', sslmode: 'require' }), /channel binding required/)
})

test('a server that lets anybody in is refused where a proof is demanded', async () => {
  assertOut(await over('trusted', { require_auth: 'scram-sha-256' }), /server did not complete authentication/)
  assertIn(await over('trusted', { require_auth: 'scram-sha-256,none' }), 'trusted')
})

test('a client certificate says who we are', async () => {
  const { certificate, key } = authority.issue('certified')
  const files = { sslcert: certificate, sslkey: key, sslmode: 'require' }
  assertIn(await over('certified', files), 'certified')
  assertOut(await over('certified', { sslmode: 'require' }), /requires a valid client certificate/)
  assertOut(await over('certified', { ...files, sslcertmode: 'disable' }), /requires a valid client certificate/)
  const strange = other.issue('certified')
  assertOut(
    await over('certified', { sslcert: strange.certificate, sslkey: strange.key, sslmode: 'require' }),
    /connection to server/,
  )
  chmodSync(key, 0o644)
  assertOut(await over('certified', files), /private key file ".*" has group or world access/)
  chmodSync(key, 0o600)
  assertOut(
    await over('certified', { ...files, sslkey: `${key}.none` }),
    /certificate present, but not private key file/,
  )
})

test('the key of a client certificate may be encrypted', async () => {
  const { certificate, key } = authority.issue('certified', { password: 'the password of the key' })
  const files = { sslcert: certificate, sslkey: key, sslmode: 'require' }
  assertIn(await over('certified', { ...files, sslpassword: 'the password of the key' }), 'certified')
  for (const sslpassword of ['', 'another password'])
    assertOut(await over('certified', { ...files, sslpassword }), /could not use the certificates/)
})

test('allow and prefer connect anew the other way', async () => {
  const tlsOf = async (user: string, sslmode: string) => {
    const tried = await over(user, { sslmode, password: PASSWORD })
    return tried.ok ? (tried.tls === undefined ? 'clear' : 'TLS') : 'refused'
  }
  for (const [user, ways] of [
    ['trusted', { disable: 'clear', allow: 'clear', prefer: 'TLS', require: 'TLS' }],
    ['tlsonly', { disable: 'refused', allow: 'TLS', prefer: 'TLS', require: 'TLS' }],
    ['clearonly', { disable: 'clear', allow: 'clear', prefer: 'clear', require: 'refused' }],
  ] as const)
    for (const [mode, expected] of Object.entries(ways))
      assert.equal(await tlsOf(user, mode), expected, `${user} ${mode}`)
  assertOut(
    await over('tlsonly', { sslmode: 'disable' }),
    /no pg_hba.conf entry for host .* no encryption/,
    /Add a line/,
  )
})

test('the password file is looked up by host, and one that others may read is not used', async () => {
  const file = join(folder, 'pgpass')
  const escaped = PASSWORD.replaceAll('\\', '\\\\').replaceAll(':', '\\:')
  writeFileSync(file, `# passwords\nelsewhere:*:*:*:no\n127.0.0.1:${cluster.port}:*:scrammed:${escaped}\n`, {
    mode: 0o600,
  })
  assertIn(await over('scrammed', { passfile: file }), 'scrammed')
  assertIn(
    await tryConnecting(
      {},
      {
        environment: {
          PGPASSFILE: file,
          PGHOST: '127.0.0.1',
          PGPORT: String(cluster.port),
          PGUSER: 'scrammed',
          PGDATABASE: 'postgres',
        },
      },
    ),
    'scrammed',
  )
  const warnings: unknown[] = []
  const log = { debug() {}, info() {}, error() {}, warn: (_: string, fields?: object) => void warnings.push(fields) }
  chmodSync(file, 0o640)
  const args = { host: '127.0.0.1', port: String(cluster.port), user: 'scrammed', passfile: file }
  assertOut(await tryConnecting(args, { log }), /no password supplied/)
  assert.match(JSON.stringify(warnings), /has group or world access, and is not used/)
})

test('roles and databases that are not there are named, with the command that makes them', async () => {
  assertOut(
    await over('trusted', { database: 'nosuch' }),
    /database "nosuch" does not exist/,
    /createdb --encoding=UTF8 --locale=C/,
  )
  assertOut(
    await tryConnecting({ host: cluster.sockets, port: String(cluster.port), user: 'postgres', dbname: 'nosuch' }),
    /createdb/,
  )
})

/** An ident server that says the same of every connection. https://www.rfc-editor.org/rfc/rfc1413 */
function startIdentd(name: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => socket.end(`${data.toString().trim()} : USERID : UNIX : ${name}\r\n`))
    })
    server.on('error', () => resolve(undefined))
    server.listen(113, '127.0.0.1', () => resolve(server))
  })
}
