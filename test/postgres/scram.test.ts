import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { hash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { certificateHash } from '#storage/postgres/certificate-hash.ts'
import { PostgresCluster } from '#test/helpers/postgres-cluster.ts'
import { type Tried, tryConnecting } from '#test/helpers/postgres-connect.ts'

const HBA = ['host all all 127.0.0.1/32 scram-sha-256']
let folder: string

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'myelin-scram-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' })

const over = ({ port }: PostgresCluster, args: Record<string, string>): Promise<Tried> =>
  tryConnecting({ host: '127.0.0.1', port: String(port), database: 'postgres', ...args })

test('passwords of all scripts are prepared as the server prepares them, or not at all', async () => {
  const passwords = {
    composed: 'e\u0301\ufb01\u00a0\u00bd\u00ad', // changed by SASLprep
    newer: '\ud83d\ude00\ufb01', // not in Unicode 3.2: taken as it is
    private: '\ue000\ufb01',
    mixed: '\u05d0a\ufb01', // to the left and to the right
    hebrew: '\u05d0\u00bd\u05d1',
    nothing: '\u00ad',
  }
  await using cluster = await PostgresCluster.start({ hba: HBA })
  for (const [user, password] of Object.entries(passwords)) {
    await cluster.sql(`CREATE ROLE ${user} LOGIN PASSWORD '${password}'`)
    const tried = await over(cluster, { user, password })
    assert.ok(tried.ok, `${user}: ${tried.ok ? '' : tried.message}`)
    assert.equal((await over(cluster, { user, password: `${password}x` })).ok, false)
  }
  // A password may be written in either form, where SASLprep applies.
  assert.ok((await over(cluster, { user: 'composed', password: 'éfi 1⁄2' })).ok)
})

test('SCRAM is bound to certificates of every kind of signature that has a hash', async () => {
  const pss = ['-newkey', 'rsa:2048', '-sigopt', 'rsa_padding_mode:pss']
  const kinds = {
    sha256: [...pss, '-sha256'],
    sha512: [...pss, '-sha512'],
    sha384: ['-newkey', 'rsa-pss', '-sha384'],
    'sha3-256': ['-newkey', 'rsa:2048', '-sha3-256'],
    sha224: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-sha224'],
  }
  const made = (name: string, args: readonly string[]) => {
    const [certificate, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)]
    openssl(
      'req',
      '-x509',
      '-new',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=x',
      ...args,
      '-keyout',
      key,
      '-out',
      certificate,
    )
    return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') }
  }
  for (const [name, args] of Object.entries(kinds)) {
    const read = new X509Certificate(made(name, args).certificate)
    assert.deepEqual(certificateHash(read), hash(name, read.raw, 'buffer'), name)
  }
  for (const [name, args, expected] of [
    ['sha1', ['-newkey', 'rsa:2048', '-sha1'], 'sha256'],
    ['pss-sha1', [...pss, '-sha1'], 'sha256'],
  ] as const) {
    const read = new X509Certificate(made(name, args).certificate)
    assert.deepEqual(certificateHash(read), hash(expected, read.raw, 'buffer'), name)
  }
  const unhashed = new X509Certificate(made('ed25519', ['-newkey', 'ed25519']).certificate)
  assert.throws(() => certificateHash(unhashed), /signed by ED25519; channel_binding=disable does without/)
  const { certificate, key } = made('server', kinds.sha512)
  await using server = await PostgresCluster.start({
    hba: HBA,
    settings: { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' },
    files: { 'server.crt': certificate, 'server.key': key },
  })
  await server.sql("CREATE ROLE scrammed LOGIN PASSWORD 'secret'")
  const tried = await over(server, {
    user: 'scrammed',
    password: 'secret',
    channel_binding: 'require',
    sslmode: 'require',
  })
  assert.ok(tried.ok, tried.ok ? '' : tried.message)
})
