import type { KeyObject } from 'node:crypto'
import { canonicalJsonWithout } from '#protocol/canonical-json.ts'
import { readPublicKey } from '#protocol/signing/ed25519.ts'
import { NOT_SIGNED } from '#protocol/signing/sign-json.ts'
import type { KeyUsage } from '#storage/stores/cross-signing.ts'
import { get, type JsonObject } from '#util/json.ts'
import { type Refusal, refused } from '#util/verdict.ts'

/** A cross-signing key that is what it says to be, signatures aside. */
export type CrossSigningKey = {
  readonly usage: KeyUsage
  /** In unpadded base64. */
  readonly publicKey: string
  /** `ed25519:` and the public key. */
  readonly keyId: string
  readonly verifyKey: KeyObject
  readonly object: JsonObject
}

/** Reads a cross-signing key, or says what is wrong with it. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysdevice_signingupload */
export const readCrossSigningKey = (
  object: JsonObject,
  { userId, usage }: { readonly userId: string; readonly usage: KeyUsage },
): CrossSigningKey | Refusal => {
  if (get(object, 'user_id') !== userId) return refused('user_id', `Expected a key of ${userId}`)
  const usages = get(object, 'usage')
  if (!Array.isArray(usages) || !usages.includes(usage)) return refused('usage', `Expected '${usage}' in 'usage'`)
  const [entry, ...more] = Object.entries(get(object, 'keys') ?? {})
  const [keyId, publicKey] = entry ?? []
  if (keyId === undefined || typeof publicKey !== 'string' || more.length > 0) {
    return refused('keys', "Expected 'keys' to have exactly one property")
  }
  const verifyKey = readPublicKey(publicKey)
  if (verifyKey === undefined || keyId !== `ed25519:${publicKey}`) {
    return refused('keys', 'Expected an Ed25519 key in unpadded base64, named ed25519:<the key>')
  }
  return { usage, publicKey, keyId, verifyKey, object }
}

/** What of a key or a device is signed, to tell whether two say the same. */
export const signedPart = (object: JsonObject): string => canonicalJsonWithout(object, NOT_SIGNED)
