import { canonicalJsonWithout } from '#protocol/canonical-json.ts'
import { isPlainObject } from '#protocol/raw-number.ts'
import { get, type JsonObject } from '#util/json.ts'
import { type SigningKey, signText } from './signing-key.ts'

/** The properties of signed JSON that signatures do not cover. https://spec.matrix.org/v1.19/appendices/#signing-details */
export const NOT_SIGNED: readonly string[] = ['signatures', 'unsigned']

/** A copy of an object with the signature of `entity` (a server name or user ID) beside those it has. https://spec.matrix.org/v1.19/appendices/#signing-details */
export const signJson = (object: JsonObject, entity: string, key: SigningKey): JsonObject =>
  withSignature(object, {
    entity,
    keyId: key.keyId,
    signature: signText(canonicalJsonWithout(object, NOT_SIGNED), key),
  })

/** A copy of an object with one more signature. Signatures of any other shape than `{entity: {keyId: …}}` give way. https://spec.matrix.org/v1.19/appendices/#signing-details */
export function withSignature(
  object: JsonObject,
  { entity, keyId, signature }: { readonly entity: string; readonly keyId: string; readonly signature: string },
): JsonObject {
  const signatures = get(object, 'signatures')
  const others = isPlainObject(signatures) ? signatures : {}
  const own = get(others, entity)
  const ofEntity = isPlainObject(own) ? own : {}
  return { ...object, signatures: { ...others, [entity]: { ...ofEntity, [keyId]: signature } } }
}
