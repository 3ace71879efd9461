import { createPublicKey, type KeyObject } from 'node:crypto'
import { encodeBase64 } from '#util/base64.ts'
import { Ed25519Signer, ed25519PrivateKey } from '#util/ed25519.ts'
import { isKeyId } from './ed25519.ts'

/** A key that this server signs with. https://spec.matrix.org/v1.19/appendices/#signing-details */
export type SigningKey = {
  /** `ed25519:` and the version, as it stands in signatures. */
  readonly keyId: string
  readonly signer: Ed25519Signer
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
  const publicKey = createPublicKey(ed25519PrivateKey(seed))
  const bytes = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  return { keyId, signer: new Ed25519Signer(seed, bytes), publicKey, publicKeyBase64: encodeBase64(bytes) }
}

/** The signature of text in unpadded base64. https://spec.matrix.org/v1.19/appendices/#signing-details */
export const signText = (text: string, { signer }: SigningKey): string => encodeBase64(signer.sign(Buffer.from(text)))
