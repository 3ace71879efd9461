import { hash } from 'node:crypto'
import { canonicalJsonWithout } from '#protocol/canonical-json.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { NOT_SIGNED } from '#protocol/signing/sign-json.ts'
import { decodeBase64, encodeBase64 } from '#util/base64.ts'
import { get, getString } from '#util/json.ts'
import type { Pdu } from './pdu.ts'
import { redact } from './redact.ts'

/** SHA-256 over a whole event but for `unsigned`, `signatures` and `hashes`, in unpadded base64. https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event */
export const contentHash = (pdu: Pdu): string => sha256(canonicalJsonWithout(pdu, NOT_HASHED))

/** Whether an event is whole: its content hash is the one in its `hashes`. Where not, only its redacted copy may be used. https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events */
export function hasValidContentHash(pdu: Pdu): boolean {
  const claimed = getString(get(pdu, 'hashes'), 'sha256')
  if (claimed === undefined) return false
  const expected = contentHash(pdu)
  if (claimed === expected) return true
  const bytes = decodeBase64(claimed)
  return bytes !== undefined && encodeBase64(bytes) === expected
}

/** SHA-256 over what a redaction leaves of an event, in unpadded base64 of either alphabet. https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event */
export const referenceHash = (pdu: Pdu, rules: RoomVersionRules, alphabet: HashAlphabet = 'base64'): string =>
  sha256(essentialJson(pdu, rules), alphabet)

/** The text under an event's reference hash and its signatures: redacted, without `signatures` and `unsigned`, as canonical JSON. https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event */
export const essentialJson = (pdu: Pdu, rules: RoomVersionRules): string =>
  canonicalJsonWithout(redact(pdu, rules), NOT_SIGNED)

/** Standard or URL-safe base64. https://spec.matrix.org/v1.19/appendices/#url-safe-unpadded-base64 */
export type HashAlphabet = 'base64' | 'base64url'

/** SHA-256 of text in UTF-8, in unpadded base64 (43 characters). https://spec.matrix.org/v1.19/appendices/#unpadded-base64 */
export const sha256 = (text: string, alphabet: HashAlphabet = 'base64'): string =>
  hash('sha256', text, alphabet).slice(0, 43)

const NOT_HASHED: readonly string[] = ['unsigned', 'signatures', 'hashes']
