import { isPlainObject } from '#protocol/raw-number.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { get, getString, type Json, type JsonObject } from '#util/json.ts'
import type { Pdu } from './pdu.ts'

/**
 * What a redaction leaves of an event: a copy with the keys that its room version protects. The server's own `unsigned`
 * is not among them. Hashes of references and signatures are made over this copy.
 * In version 11, `{type: 'm.room.member', content: {membership, displayname, third_party_invite: {display_name, signed}}}`
 * becomes `{type: 'm.room.member', content: {membership, third_party_invite: {signed}}}`.
 * https://spec.matrix.org/v1.19/rooms/v11/#redactions
 */
export function redact(pdu: Pdu, rules: RoomVersionRules): Pdu {
  const redacted: Record<string, Json> = {}
  for (const key of rules.redaction.topLevel) {
    const value = get(pdu, key)
    if (value !== undefined) redacted[key] = key === 'content' ? redactContent(pdu, value, rules) : value
  }
  return redacted
}

function redactContent(pdu: Pdu, content: Json, rules: RoomVersionRules): JsonObject {
  const type = getString(pdu, 'type') ?? ''
  const kept = Object.hasOwn(rules.redaction.content, type) ? rules.redaction.content[type] : undefined
  if (kept === undefined || !isPlainObject(content)) return {}
  if (kept === 'all') return content
  const redacted: Record<string, Json> = {}
  for (const path of kept) {
    const [key = '', inner] = path.split('.')
    const value = get(content, key)
    if (value === undefined) continue
    if (inner === undefined) redacted[key] = value
    // Of an object only the inner key is allowed; anything else holds no such key.
    else if (isPlainObject(value)) redacted[key] = Object.hasOwn(value, inner) ? { [inner]: value[inner] as Json } : {}
  }
  return redacted
}
