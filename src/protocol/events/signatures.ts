import type { KeyObject } from 'node:crypto'
import { parseUserId, type ServerName, serverNameOf } from '#protocol/identifiers.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { maySignEvent, type VerifyKey } from '#protocol/signing/server-keys.ts'
import { withSignature } from '#protocol/signing/sign-json.ts'
import { type SigningKey, signText } from '#protocol/signing/signing-key.ts'
import { signingKeyIds, verifySignatures } from '#protocol/signing/verify-json.ts'
import { get } from '#util/json.ts'
import { allowed, type Verdict } from '#util/verdict.ts'
import { contentHash, essentialJson, hasValidContentHash } from './hashes.ts'
import type { Pdu, RoomEvent } from './pdu.ts'
import { redact } from './redact.ts'

/** Who signs an event, by the rules of its room. */
export type Signer = {
  readonly rules: RoomVersionRules
  readonly serverName: ServerName
  readonly signingKey: SigningKey
}

/** A copy of an event with its content hash and a signature, as a server sends out what it made. https://spec.matrix.org/v1.19/server-server-api/#adding-hashes-and-signatures-to-outgoing-events */
export const hashAndSignEvent = (pdu: Pdu, signer: Signer): Pdu =>
  signEvent({ ...pdu, hashes: { sha256: contentHash(pdu) } }, signer)

/** A copy of an event with one more signature, as a server adds its own to an invite or a restricted join. https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid */
export function signEvent(pdu: Pdu, { rules, serverName, signingKey }: Signer): Pdu {
  const signature = signText(essentialJson(pdu, rules), signingKey)
  return withSignature(pdu, { entity: serverName, keyId: signingKey.keyId, signature })
}

/**
 * The servers that must have signed an event: the sender's, except for an invite that stems from a third-party invite; in
 * versions 1 and 2 also the one in the event ID; where restricted joins exist, also that of the user who authorised the
 * membership. https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export function requiredSigners(event: RoomEvent, rules: RoomVersionRules): readonly ServerName[] {
  const sender = serverNameOf(event.sender)
  const signers = new Set<ServerName>()
  if (!isThirdPartyInvite(event, rules)) signers.add(sender)
  const namer = rules.eventId === 'opaque' ? serverNameOf(event.eventId) : undefined
  if (namer !== undefined && namer !== sender) signers.add(namer)
  const authoriser = rules.restricted ? authoriserOf(event) : undefined
  if (authoriser !== undefined) signers.add(authoriser)
  return [...signers]
}

/** The keys to look up before an event can be verified: by server, the IDs it was signed with. https://spec.matrix.org/v1.19/appendices/#checking-for-a-signature */
export const neededKeys = (event: RoomEvent, rules: RoomVersionRules): ReadonlyMap<ServerName, readonly string[]> =>
  new Map(requiredSigners(event, rules).map((server) => [server, signingKeyIds(event.pdu, server)]))

/** The published key of a server, or `undefined` for one that is not known. */
export type FindServerKey = (serverName: ServerName, keyId: string) => VerifyKey | undefined

/**
 * Whether all servers that must have signed an event did, by keys that were valid then. Signatures by keys that are
 * unknown or were retired before the event are passed over. An event that is refused must be dropped; one whose content
 * hash then does not agree must be redacted. https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events
 */
export function verifyEvent(event: RoomEvent, rules: RoomVersionRules, findKey: FindServerKey): Verdict {
  const signed = { text: essentialJson(event.pdu, rules), signatures: get(event.pdu, 'signatures') }
  for (const server of requiredSigners(event, rules)) {
    const verdict = verifySignatures(signed, server, (keyId) => {
      const key = findKey(server, keyId)
      return key !== undefined && maySignEvent(key, event.originServerTs, rules) ? key.publicKey : undefined
    })
    if (!verdict.ok) return verdict
  }
  return allowed
}

/** Whether an event bears a valid signature by one certain key, such as that of a room's policy server. https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures */
export const isSignedBy = (
  event: RoomEvent,
  rules: RoomVersionRules,
  signer: { readonly serverName: ServerName; readonly keyId: string; readonly publicKey: KeyObject },
): boolean =>
  verifySignatures(
    { text: essentialJson(event.pdu, rules), signatures: get(event.pdu, 'signatures') },
    signer.serverName,
    (keyId) => (keyId === signer.keyId ? signer.publicKey : undefined),
  ).ok

/**
 * Its sender must be that of the third-party invite, but another server may have sent it. Where nobody needs to sign an
 * event, what makes it such an invite must not be lost when a wrong content hash gets it redacted.
 */
function isThirdPartyInvite({ type, content, pdu }: RoomEvent, rules: RoomVersionRules): boolean {
  if (type !== 'm.room.member' || get(content, 'membership') !== 'invite') return false
  if (!Object.hasOwn(content, 'third_party_invite')) return false
  const isKept = get(get(redact(pdu, rules), 'content'), 'third_party_invite') !== undefined
  return isKept || hasValidContentHash(pdu)
}

/** What is no user ID names no server; the authorization rules reject it. */
function authoriserOf({ type, content }: RoomEvent): ServerName | undefined {
  if (type !== 'm.room.member') return undefined
  const user = parseUserId(get(content, 'join_authorised_via_users_server'))
  return user === undefined ? undefined : serverNameOf(user)
}
