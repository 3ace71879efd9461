import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { decodeBase64 } from '#util/base64.ts'

/** The name of a key is `ed25519:` and a version of `a-z A-Z 0-9 _`. https://spec.matrix.org/v1.19/appendices/#signing-details */
export const isKeyId = (keyId: string): boolean => /^ed25519:[a-zA-Z0-9_]+$/.test(keyId)

/** Whether a signature under this name is of the one algorithm that is understood; others are passed over. https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature */
export const isUnderstood = (keyId: string): boolean => keyId.startsWith('ed25519:')

/** The Ed25519 public key of 32 bytes in base64 of either alphabet, or `undefined` for text that is none. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
export const readPublicKey = (base64: string): KeyObject | undefined => {
  const bytes = decodeBase64(base64)
  if (bytes?.length !== 32) return undefined
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })
}

/** Whether `signature` (base64) is the signature of `text` by the key. What cannot be a signature is none. https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature */
export const isSignatureOf = (signature: string, text: string, publicKey: KeyObject): boolean => {
  const bytes = decodeBase64(signature)
  return bytes?.length === 64 && verify(null, Buffer.from(text), publicKey, bytes)
}

/** The DER of an Ed25519 public key up to its 32 bytes. https://datatracker.ietf.org/doc/html/rfc8410#section-4 */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
