import { canonicalJsonWithout } from '#protocol/canonical-json.ts'
import type { RoomEvent } from '#protocol/events/pdu.ts'
import { isPlainObject } from '#protocol/raw-number.ts'
import { isSignatureOf, isUnderstood, readPublicKey } from '#protocol/signing/ed25519.ts'
import { NOT_SIGNED } from '#protocol/signing/sign-json.ts'
import { get, getString, type Json, type JsonObject } from '#util/json.ts'
import { allowed, isRefusal, refused, type Verdict } from '#util/verdict.ts'
import { type AuthCase, membershipOf, powerIn, powerLevelsOf } from './auth-state.ts'
import { ruleNumbers } from './rule-numbers.ts'

/** Whether `m.room.third_party_invite` may be sent (rule 7; 6 in versions 6 to 11). https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules */
export function authorizeThirdPartyInvite(given: AuthCase): Verdict {
  const { event, state, rules } = given
  const powerLevels = powerLevelsOf(state, rules)
  if (isRefusal(powerLevels)) return powerLevels
  // 7.1. Allow if and only if sender's current power level is greater than or equal to the invite level.
  return powerIn(event.sender, powerLevels, given) >= powerLevels.invite
    ? allowed
    : refused(`${ruleNumbers(rules).thirdPartyInvite}.1`, 'Inviting takes the invite level.')
}

/** Whether an invite may follow from a third-party invite: the first rule on memberships `invite`. https://spec.matrix.org/v1.19/rooms/v12/#authorization-rules */
export function authorizeThirdPartyMember({ event, state, rules }: AuthCase, thirdPartyInvite: Json): Verdict {
  const rule = `${ruleNumbers(rules).membership.invite}.1`
  const target = event.stateKey ?? ''
  // 1. If target user is banned, reject.
  if (membershipOf(target, state) === 'ban') return refused(`${rule}.1`, 'A banned user cannot be invited.')
  // 2. If content.third_party_invite does not have a signed property, reject.
  const signed = get(thirdPartyInvite, 'signed')
  if (!isPlainObject(signed)) return refused(`${rule}.2`, 'Expected a third-party invite that is signed.')
  // 3. If signed does not have mxid and token properties, reject.
  const mxid = getString(signed, 'mxid')
  const token = getString(signed, 'token')
  if (mxid === undefined || token === undefined) return refused(`${rule}.3`, 'Expected user ID and token to be signed.')
  // 4. If mxid does not match state_key, reject.
  if (mxid !== target) return refused(`${rule}.4`, 'Expected the signed user ID to be that of the invited user.')
  // 5. If there is no m.room.third_party_invite event in the current room state with state_key matching token, reject.
  const invite = state.get('m.room.third_party_invite', token)
  if (invite === undefined) return refused(`${rule}.5`, 'Expected a third-party invite that the room knows.')
  // 6. If sender does not match sender of the m.room.third_party_invite, reject.
  if (invite.sender !== event.sender) return refused(`${rule}.6`, 'Expected the sender of the third-party invite.')
  // 7. If any signature in signed matches any public key in the m.room.third_party_invite event, allow.
  if (isSignedByAny(signed, publicKeysOf(invite))) return allowed
  // 8. Otherwise, reject.
  return refused(`${rule}.8`, 'Expected a signature by a key of the third-party invite.')
}

/** Signatures are slow to check, so of an event that brings very many of keys and signatures only the first are tried. */
const MAX_ATTEMPTS = 256

function isSignedByAny(signed: JsonObject, publicKeys: readonly string[]): boolean {
  const text = canonicalJsonWithout(signed, NOT_SIGNED)
  const signatures = signaturesIn(get(signed, 'signatures'))
  let attempts = 0
  for (const publicKey of publicKeys) {
    const key = readPublicKey(publicKey)
    if (key === undefined) continue
    for (const signature of signatures) {
      if (attempts++ >= MAX_ATTEMPTS) return false
      if (isSignatureOf(signature, text, key)) return true
    }
  }
  return false
}

/** The signatures of all entities by all keys of an algorithm that is understood. */
function signaturesIn(value: Json | undefined): readonly string[] {
  if (!isPlainObject(value)) return []
  const found = new Set<string>()
  for (const ofEntity of Object.values(value)) {
    if (!isPlainObject(ofEntity)) continue
    for (const [keyId, signature] of Object.entries(ofEntity)) {
      if (isUnderstood(keyId) && typeof signature === 'string') found.add(signature)
    }
  }
  return [...found]
}

function publicKeysOf({ content }: RoomEvent): readonly string[] {
  // 7.1. A single public key in the public_key property. 7.2. A list of public keys in the public_keys property.
  const list = get(content, 'public_keys')
  const listed = Array.isArray(list) ? list.map((each) => getString(each, 'public_key')) : []
  const keys = [getString(content, 'public_key'), ...listed]
  return [...new Set(keys.filter((key) => key !== undefined))]
}
