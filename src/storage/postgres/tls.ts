import { X509Certificate } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, type Stats, statSync } from 'node:fs'
import { isIP, type Socket } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect, getCACertificates, type TLSSocket } from 'node:tls'
import type { Host, TlsParameters } from '#util/libpq/parameters.ts'
import { ConnectFailure, refusal } from './connect-failure.ts'

/** Makes TLS over a socket, as far as libpq would trust it. https://www.postgresql.org/docs/18/libpq-ssl.html */
export const secure = async (socket: Socket, host: Host, tls: TlsParameters): Promise<TLSSocket> => {
  const options = tlsOptions(host, tls)
  const secured = started(socket, options)
  const { keyLog } = tls
  if (keyLog !== undefined) secured.on('keylog', (line: Buffer) => appendFileSync(keyLog, line, { mode: 0o600 }))
  await new Promise<void>((resolve, reject) => {
    const fail = (error?: Error) => reject(handshakeFailure(error))
    const closed = () => fail()
    secured.once('error', fail).once('close', closed)
    secured.once('secureConnect', () => {
      secured.off('error', fail).off('close', closed)
      resolve()
    })
  })
  if (tls.isDirect && secured.alpnProtocol !== 'postgresql') {
    secured.destroy()
    throw refusal('direct SSL connection was established without ALPN protocol negotiation extension')
  }
  return secured
}

function started(socket: Socket, options: ConnectionOptions): TLSSocket {
  try {
    return connect({ ...options, socket })
  } catch (error) {
    // Files that are no certificates or keys, or a password that does not fit.
    throw unusable(`could not use the certificates for SSL: ${messageOf(error)}`, error)
  }
}

/** What OpenSSL says, without where in OpenSSL it says it. */
const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message
}

/** No TLS can be made here. As in libpq, whoever only prefers TLS goes on without. */
const unusable = (message: string, cause?: unknown): ConnectFailure =>
  new ConnectFailure(message, { remedy: 'other encryption', cause })

function handshakeFailure(error?: Error): ConnectFailure {
  const message = error === undefined ? 'the server closed the connection' : messageOf(error)
  return new ConnectFailure(`SSL error: ${message}`, { remedy: 'other encryption', cause: error })
}

function tlsOptions(host: Host, tls: TlsParameters): ConnectionOptions {
  const trusted = trustedBy(host, tls)
  const isAddress = isIP(host.name) !== 0
  return {
    ...trusted,
    ...clientCertificate(tls),
    minVersion: tls.minVersion as 'TLSv1.2',
    ...(tls.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion as 'TLSv1.3' }),
    ...(tls.sendsName && host.isNamed && !isAddress ? { servername: host.name } : {}),
    ALPNProtocols: ['postgresql'],
  }
}

/** Whom we trust. Where there is a root certificate, the server's is held against it in every mode, as libpq does. */
function trustedBy(host: Host, tls: TlsParameters): ConnectionOptions {
  const root = tls.rootCertificate
  const isSystem = root === 'system'
  if (!isSystem && (root === undefined || statOf(root) === undefined)) {
    if (!tls.mode.startsWith('verify')) return { rejectUnauthorized: false }
    throw unusable(
      `root certificate file "${root ?? '~/.postgresql/root.crt'}" does not exist. Provide it, use the authorities of this machine ` +
        'with sslrootcert=system, or change sslmode so that the certificate of the server is not checked.',
    )
  }
  if (tls.mode === 'verify-full' && !host.isNamed)
    throw unusable('host name must be specified for a verified SSL connection')
  const revoked = revocations(tls)
  return {
    ca: isSystem ? getCACertificates('system') : readCertificates(root as string),
    ...(revoked.length === 0 ? {} : { crl: revoked }),
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => {
      if (tls.mode !== 'verify-full' || isFor(certificate, host.name)) return undefined
      return new Error(
        `server certificate for "${certificate.subject.CN ?? 'nobody'}" does not match host name "${host.name}"`,
      )
    },
  }
}

function isFor(certificate: unknown, name: string): boolean {
  const read = new X509Certificate((certificate as { readonly raw: Buffer }).raw)
  const matches = read.checkHost(name, { wildcards: true, partialWildcards: false, subject: 'default' }) !== undefined
  if (isIP(name) === 0) return matches
  const hasAddress = /\bIP Address:/.test(read.subjectAltName ?? '')
  return read.checkIP(name) !== undefined || (!hasAddress && matches)
}

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    // A folder on the way that we may not look into, or that is none: there is no such file for us.
    return undefined
  }
}

function readCertificates(path: string): string {
  const text = textOf(path, 'root certificate file')
  // Node.js would take authorities of its own in its place.
  if (!/^-----BEGIN (TRUSTED |X509 )?CERTIFICATE-----/m.test(text))
    throw unusable(`could not read root certificate file "${path}": there is no certificate in it`)
  return text
}

function textOf(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw unusable(`could not read ${what} "${path}": ${messageOf(error)}`, error)
  }
}

function revocations({ revoked, revokedFolder }: TlsParameters): string[] {
  const inFolder = revokedFolder === undefined ? [] : listsIn(revokedFolder)
  const files = revoked === undefined || statOf(revoked) === undefined ? inFolder : [revoked, ...inFolder]
  // Who names a folder wants every certificate looked up in it: without any list, none can be.
  if (revokedFolder !== undefined && files.length === 0)
    throw unusable(
      `there is no certificate revocation list in "${revokedFolder}"; openssl rehash gives them their names`,
    )
  return files.map((file) => textOf(file, 'certificate revocation list'))
}

const listsIn = (folder: string): readonly string[] =>
  (statOf(folder)?.isDirectory() === true ? readdirSync(folder) : [])
    .filter((name) => /^[0-9a-f]{8}\.r\d+$/.test(name))
    .map((name) => join(folder, name))

function clientCertificate(tls: TlsParameters): ConnectionOptions {
  const { certificate, key, keyPassword } = tls
  // A certificate that is not there is not sent; the server may do without.
  if (!tls.sendsCertificate || certificate === undefined || statOf(certificate) === undefined) return {}
  if (key === undefined || statOf(key) === undefined)
    throw unusable(`certificate present, but not private key file "${key ?? '~/.postgresql/postgresql.key'}"`)
  judgeKeyFile(key, statOf(key) as Stats)
  return {
    cert: textOf(certificate, 'certificate file'),
    key: textOf(key, 'private key file'),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
  }
}

function judgeKeyFile(path: string, stats: Stats): void {
  if (!stats.isFile()) throw unusable(`private key file "${path}" is not a regular file`)
  // A group of root's choice may read a key of root's.
  if ((stats.mode & (stats.uid === 0 ? 0o037 : 0o077)) === 0) return
  throw unusable(
    `private key file "${path}" has group or world access; file must have permissions u=rw (0600) or less if owned by the current ` +
      'user, or permissions u=rw,g=r (0640) or less if owned by root',
  )
}
