import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A certificate with its key, as files. */
export type Issued = { readonly certificate: string; readonly key: string }

/** A certificate authority of a test's own, made with the `openssl` program. */
export class Authority implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'myelin-ca-'))
  readonly certificate = join(this.folder, 'root.crt')
  #count = 0

  constructor(name = 'Authority of the tests') {
    this.#openssl(
      'req',
      '-x509',
      '-new',
      '-nodes',
      '-newkey',
      'rsa:2048',
      '-days',
      '2',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      'root.key',
      '-out',
      'root.crt',
    )
    writeFileSync(join(this.folder, 'index.txt'), '')
    writeFileSync(
      join(this.folder, 'ca.cnf'),
      '[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=2\ncertificate=root.crt\nprivate_key=root.key\n',
    )
  }

  /** A certificate for a name; `sans` as OpenSSL writes them: `DNS:db.test,IP:127.0.0.1`. `password`: the key is encrypted. */
  issue(name: string, { sans, password }: { readonly sans?: string; readonly password?: string } = {}): Issued {
    const base = `issued${++this.#count}`
    this.#openssl(
      'req',
      '-new',
      '-nodes',
      '-newkey',
      'rsa:2048',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      `${base}.key`,
      '-out',
      `${base}.csr`,
    )
    const extensions = join(this.folder, `${base}.ext`)
    writeFileSync(extensions, sans === undefined ? '' : `subjectAltName=${sans}\n`)
    this.#openssl(
      'x509',
      '-req',
      '-in',
      `${base}.csr`,
      '-CA',
      'root.crt',
      '-CAkey',
      'root.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      extensions,
      '-out',
      `${base}.crt`,
    )
    if (password !== undefined) {
      this.#openssl('rsa', '-aes256', '-in', `${base}.key`, '-passout', `pass:${password}`, '-out', `${base}.enc`)
      writeFileSync(join(this.folder, `${base}.key`), readFileSync(join(this.folder, `${base}.enc`)), { mode: 0o600 })
    }
    return { certificate: join(this.folder, `${base}.crt`), key: join(this.folder, `${base}.key`) }
  }

  /** A list of revoked certificates. */
  revoke(...issued: readonly Issued[]): string {
    for (const { certificate } of issued) this.#openssl('ca', '-config', 'ca.cnf', '-revoke', certificate)
    this.#openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'root.crl')
    return join(this.folder, 'root.crl')
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: ['ignore', 'ignore', 'pipe'] })
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
