import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { encodeBase64 } from '#util/base64.ts'
import { isKeyId } from './ed25519.ts'

/** A key that this server signs with. https://spec.matrix.org/v1.19/appendices/#signing-details */
export type SigningKey = {
  /** `ed25519:` and the version, as it stands in signatures. */
  readonly keyId: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** The public key in unpadded base64, as servers publish it. */
  readonly publicKeyBase64: string
}

/**
 * The signing key of a seed of 32 bytes (the secret; from a file or a source of randomness), or `undefined` where the
 * seed has another length or the version other characters than `a-z A-Z 0-9 _`.
 * https://spec.matrix.org/v1.19/appendices/#signing-key
 */
export function makeSigningKey(seed: Uint8Array, version: string): SigningKey | undefined {
  const keyId = `ed25519:${version}`
  if (seed.length !== 32 || !isKeyId(keyId)) return undefined
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
  const publicKey = createPublicKey(privateKey)
  const der = publicKey.export({ format: 'der', type: 'spki' })
  return { keyId, privateKey, publicKey, publicKeyBase64: encodeBase64(der.subarray(-32)) }
}

/** The signature of text in unpadded base64. https://spec.matrix.org/v1.19/appendices/#signing-details */
export const signText = (text: string, key: SigningKey): string =>
  encodeBase64(sign(null, Buffer.from(text), key.privateKey))

/** The same, made by another thread: a signature takes longer than all the rest of making an event. */
export const signTextBeside = (text: string, key: SigningKey): Promise<string> =>
  new Promise((resolve, reject) => {
    sign(null, Buffer.from(text), key.privateKey, (error, signature) =>
      error === null ? resolve(encodeBase64(signature)) : reject(error),
    )
  })

/** The length of a signature in unpadded base64. */
export const SIGNATURE_LENGTH = 86

/** The DER of an Ed25519 private key up to its 32 bytes. https://datatracker.ietf.org/doc/html/rfc8410#section-7 */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
