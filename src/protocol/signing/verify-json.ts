import type { KeyObject } from 'node:crypto'
import { canonicalJsonWithout } from '#protocol/canonical-json.ts'
import { isPlainObject } from '#protocol/raw-number.ts'
import { get, type JsonObject } from '#util/json.ts'
import { allowed, refused, type Verdict } from '#util/verdict.ts'
import { isSignatureOf, isUnderstood } from './ed25519.ts'
import { NOT_SIGNED } from './sign-json.ts'

/** The keys of one entity by their IDs; `undefined` for one that is not known, or too old for what it signed. */
export type FindKey = (keyId: string) => KeyObject | undefined

/** The IDs of the keys by which `entity` signed an object, of algorithms that are understood: the keys to look up. https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature */
export const signingKeyIds = (object: JsonObject, entity: string): readonly string[] => {
  const signatures = get(get(object, 'signatures'), entity)
  return isPlainObject(signatures) ? Object.keys(signatures).filter(isUnderstood) : []
}

/**
 * Whether `entity` signed an object: by at least one key that is found, and rightly by each that is. The number of the
 * refusal is that of the step that failed. https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature
 */
export const verifyJson = (object: JsonObject, entity: string, findKey: FindKey): Verdict =>
  verifySignatures(
    { text: canonicalJsonWithout(object, NOT_SIGNED), signatures: get(object, 'signatures') },
    entity,
    findKey,
  )

/** As `verifyJson`, for text that was printed already: canonical JSON without `signatures` and `unsigned`. https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature */
export function verifySignatures(
  signed: { readonly text: string; readonly signatures: unknown },
  entity: string,
  findKey: FindKey,
): Verdict {
  // 1. Checks if the signatures member of the object contains an entry with the name of the entity.
  const ofEntity = get(signed.signatures, entity)
  if (!isPlainObject(ofEntity)) return refused('1', `Expected a signature of ${entity}.`)
  // 2. Removes any signing key identifiers from the entry with algorithms it doesn't understand.
  const keyIds = Object.keys(ofEntity).filter(isUnderstood)
  if (keyIds.length === 0) return refused('2', `Expected an Ed25519 signature of ${entity}.`)
  // 3. Looks up verification keys for the remaining signing key identifiers.
  const known = keyIds.flatMap((keyId) => {
    const publicKey = findKey(keyId)
    return publicKey === undefined ? [] : [{ keyId, publicKey, signature: ofEntity[keyId] }]
  })
  if (known.length === 0) return refused('3', `Expected a signature of ${entity} by a key that is known and valid.`)
  for (const { keyId, publicKey, signature } of known) {
    // 4. Decodes the base64 encoded signature bytes. 7. Checks the signature bytes against the encoded object.
    if (typeof signature !== 'string' || !isSignatureOf(signature, signed.text, publicKey)) {
      return refused('7', `The signature of ${entity} by ${keyId} is not valid.`)
    }
  }
  return allowed
}
