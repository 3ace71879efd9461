import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { createRequire } from 'node:module'

/** What of libsodium signs. The secret key is the seed followed by the public key. */
type Sodium = {
  readonly crypto_sign_detached: (signature: Buffer, message: Buffer, secretKey: Buffer) => void
}

const SIGNATURE_BYTES = 64
/** The DER of an Ed25519 private key up to its 32 bytes. https://datatracker.ietf.org/doc/html/rfc8410#section-7 */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The private key of a seed of 32 bytes. */
export const ed25519PrivateKey = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })

/**
 * Signs with the key of a seed: by libsodium, which takes a little more than half the time of OpenSSL, or by OpenSSL on a system for which
 * there is no libsodium. Both give the same 64 bytes. https://datatracker.ietf.org/doc/html/rfc8032#section-5.1.6
 */
export class Ed25519Signer {
  readonly #seed: Uint8Array
  readonly #publicKey: Uint8Array
  #sign: ((message: Buffer) => Buffer) | undefined

  constructor(seed: Uint8Array, publicKey: Uint8Array) {
    this.#seed = seed
    this.#publicKey = publicKey
  }

  /** The signature of a message. The library is loaded for the first one. */
  sign(message: Buffer): Buffer {
    this.#sign ??= bySodium(this.#seed, this.#publicKey) ?? byOpenSsl(this.#seed)
    return this.#sign(message)
  }
}

/** Signs by libsodium, where there is one. */
export function bySodium(seed: Uint8Array, publicKey: Uint8Array): ((message: Buffer) => Buffer) | undefined {
  const sodium = loadSodium()
  if (sodium === undefined) return undefined
  const secretKey = Buffer.concat([seed, publicKey])
  return (message) => {
    const signature = Buffer.allocUnsafe(SIGNATURE_BYTES)
    sodium.crypto_sign_detached(signature, message, secretKey)
    return signature
  }
}

/** Signs by OpenSSL. */
export const byOpenSsl = (seed: Uint8Array): ((message: Buffer) => Buffer) => {
  const privateKey = ed25519PrivateKey(seed)
  return (message) => sign(null, message, privateKey)
}

function loadSodium(): Sodium | undefined {
  try {
    return createRequire(import.meta.url)('sodium-native')
  } catch {
    return undefined
  }
}
