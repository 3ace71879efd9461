import type { KeyObject } from 'node:crypto'
import { parseServerName, type ServerName } from '#protocol/identifiers.ts'
import { isPlainObject } from '#protocol/raw-number.ts'
import type { RoomVersionRules } from '#protocol/room-versions.ts'
import { get, getString, type Json, type JsonObject } from '#util/json.ts'
import { isRefusal, type Refusal, refused } from '#util/verdict.ts'
import { isKeyId, readPublicKey } from './ed25519.ts'
import { signJson } from './sign-json.ts'
import type { SigningKey } from './signing-key.ts'
import { verifyJson } from './verify-json.ts'

/** A key of another server, as it published it. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
export type VerifyKey = {
  readonly publicKey: KeyObject
  readonly publicKeyBase64: string
  /** Milliseconds since 1970 until which the list of keys need not be asked for again. */
  readonly validUntilTs: number
  /** When the server stopped using the key (milliseconds since 1970); `undefined` for a key in use. */
  readonly expiredTs: number | undefined
}

/** The keys that a server published, by their IDs. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
export type ServerKeys = {
  readonly serverName: ServerName
  /** Milliseconds since 1970; at most seven days after the keys were read. */
  readonly validUntilTs: number
  readonly keys: ReadonlyMap<string, VerifyKey>
}

/** A key that this server used to sign with. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
export type RetiredKey = { readonly keyId: string; readonly publicKeyBase64: string; readonly expiredTs: number }

/** The longest that published keys are believed. https://spec.matrix.org/v1.19/rooms/v5/#signing-key-validity-period */
export const MAX_KEY_VALIDITY_MS = 7 * 24 * 60 * 60 * 1000

/** The keys of this server as it publishes them, signed by each key in use. https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server */
export function buildServerKeys(server: {
  readonly serverName: ServerName
  readonly signingKeys: readonly SigningKey[]
  readonly retiredKeys: readonly RetiredKey[]
  readonly validUntilTs: number
}): JsonObject {
  const object: JsonObject = {
    server_name: server.serverName,
    valid_until_ts: server.validUntilTs,
    verify_keys: Object.fromEntries(server.signingKeys.map((key) => [key.keyId, { key: key.publicKeyBase64 }])),
    old_verify_keys: Object.fromEntries(
      server.retiredKeys.map((key) => [key.keyId, { key: key.publicKeyBase64, expired_ts: key.expiredTs }]),
    ),
  }
  return server.signingKeys.reduce((signed, key) => signJson(signed, server.serverName, key), object)
}

/**
 * Judges the keys that a server published, or that a notary handed on (whose own signature is checked with `verifyJson`):
 * they must be of the server that was asked and signed by one of the keys in use. Entries of other algorithms or
 * without a readable key are passed over. https://spec.matrix.org/v1.19/server-server-api/#retrieving-server-keys
 */
export function readServerKeys(value: unknown, expected: ServerName, nowTs: number): ServerKeys | Refusal {
  if (!isPlainObject(value)) return refused('server_keys', 'Expected the keys of a server to be a JSON object.')
  const serverName = parseServerName(get(value, 'server_name'))
  if (serverName !== expected) return refused('server_name', `Expected the keys of ${expected}.`)
  const claimed = get(value, 'valid_until_ts')
  if (!isTimestamp(claimed)) return refused('valid_until_ts', 'Expected valid_until_ts to be an integer.')
  // Servers MUST use the lesser of this field and 7 days into the future.
  const validUntilTs = Math.min(claimed, nowTs + MAX_KEY_VALIDITY_MS)
  const current = readKeys(get(value, 'verify_keys'), () => ({ validUntilTs, expiredTs: undefined }))
  if (isRefusal(current)) return current
  const signed = verifyJson(value, serverName, (keyId) => current.get(keyId)?.publicKey)
  if (!signed.ok) return signed
  const retired = readKeys(get(value, 'old_verify_keys') ?? {}, (key) => {
    const expiredTs = get(key, 'expired_ts')
    return isTimestamp(expiredTs) ? { validUntilTs: expiredTs, expiredTs } : undefined
  })
  if (isRefusal(retired)) return retired
  return { serverName, validUntilTs, keys: new Map([...retired, ...current]) }
}

/**
 * Whether a key may have signed an event of that time: it was not retired before, and, in versions that ask for it, the
 * list it stood in was valid then. https://spec.matrix.org/v1.19/rooms/v5/#signing-key-validity-period
 */
export const maySignEvent = (key: VerifyKey, originServerTs: number, rules: RoomVersionRules): boolean =>
  (key.expiredTs === undefined || key.expiredTs >= originServerTs) &&
  (!rules.enforceKeyValidity || key.validUntilTs >= originServerTs)

/** Whether a key may sign requests now: retired keys may not. https://spec.matrix.org/v1.19/server-server-api/#publishing-keys */
export const maySignRequest = (key: VerifyKey, nowTs: number): boolean =>
  key.expiredTs === undefined && key.validUntilTs >= nowTs

type Validity = Pick<VerifyKey, 'validUntilTs' | 'expiredTs'>

function readKeys(value: unknown, validityOf: (key: Json) => Validity | undefined): Map<string, VerifyKey> | Refusal {
  if (!isPlainObject(value)) return refused('verify_keys', 'Expected keys by their IDs.')
  const keys = new Map<string, VerifyKey>()
  for (const [keyId, key] of Object.entries(value)) {
    const publicKeyBase64 = getString(key, 'key')
    const publicKey = publicKeyBase64 === undefined || !isKeyId(keyId) ? undefined : readPublicKey(publicKeyBase64)
    const validity = validityOf(key)
    if (publicKeyBase64 === undefined || publicKey === undefined || validity === undefined) continue
    keys.set(keyId, { publicKey, publicKeyBase64, ...validity })
  }
  return keys
}

const isTimestamp = (value: unknown): value is number => Number.isSafeInteger(value)
