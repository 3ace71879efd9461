import { hash, type X509Certificate } from 'node:crypto'
import { refusal } from './connect-failure.ts'

/**
 * The data that ties SCRAM to the certificate of the server (tls-server-end-point): its hash, by the algorithm that it is signed with.
 * https://www.rfc-editor.org/rfc/rfc5929#section-4.1
 */
export const certificateHash = (certificate: X509Certificate | undefined): Buffer => {
  const name = certificate === undefined ? undefined : hashOf(certificate)
  if (certificate === undefined || name === undefined)
    throw refusal(
      `cannot bind SCRAM to a certificate that is signed by ${certificate?.signatureAlgorithm}; channel_binding=disable does without`,
    )
  return hash(name === 'md5' || name === 'sha1' ? 'sha256' : name, certificate.raw, 'buffer')
}

function hashOf({ signatureAlgorithm = '', raw }: X509Certificate): string | undefined {
  if (signatureAlgorithm === 'rsassaPss') return pssHash(raw)
  const found = /md5|sha-?(?:1|224|256|384|512)|(?<=^RSA-)sha3-\d+/i.exec(signatureAlgorithm)?.[0].toLowerCase()
  return found?.startsWith('sha3') === true ? found : found?.replace('-', '')
}

/** https://www.rfc-editor.org/rfc/rfc4055#section-3.1 */
const PSS = Buffer.from('06092a864886f70d01010a', 'hex')
const SHA2 = Buffer.from('06096086480165030402', 'hex')
const SHA2_NAMES: Readonly<Record<number, string>> = { 1: 'sha256', 2: 'sha384', 3: 'sha512', 4: 'sha224' }
const SEQUENCE = 0x30
const HASH_PARAMETER = 0xa0

/** RSASSA-PSS has its hash among its parameters, which stand last in a certificate but for the signature; SHA-1 where they do not name it. */
function pssHash(raw: Buffer): string | undefined {
  const at = raw.lastIndexOf(PSS) + PSS.length
  // The parameters are shorter than 128 bytes, so that each length is one byte: a sequence, and in it the hash as another one.
  if (raw[at] !== SEQUENCE || raw[at + 2] !== HASH_PARAMETER || raw[at + 4] !== SEQUENCE) return 'sha1'
  const name = raw.subarray(at + 6)
  return name.subarray(0, SHA2.length).equals(SHA2) ? SHA2_NAMES[name[SHA2.length] ?? 0] : undefined
}
