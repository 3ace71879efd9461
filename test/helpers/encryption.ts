import { randomBytes } from 'node:crypto'
import { uploadCrossSigningKeys } from '#api/client/cross-signing.ts'
import { uploadKeys } from '#api/client/keys.ts'
import { login } from '#api/client/login.ts'
import { sync } from '#api/client/sync.ts'
import { signJson } from '#protocol/signing/sign-json.ts'
import { makeSigningKey, type SigningKey } from '#protocol/signing/signing-key.ts'
import type { JsonObject } from '#util/json.ts'
import type { TestClient } from './client.ts'
import type { TestHomeserver } from './homeserver.ts'

/** A key of a test's own, by any ID. */
export const newKey = (name?: string): SigningKey => {
  const key = makeSigningKey(randomBytes(32), 'test')
  if (key === undefined) throw new Error('32 bytes are a seed')
  return { ...key, keyId: `ed25519:${name ?? key.publicKeyBase64}` }
}

/** Another device of a client's user, logged in. */
export const anotherDevice = async (
  homeserver: TestHomeserver,
  { userId }: TestClient,
  { deviceId, displayName }: { readonly deviceId?: string; readonly displayName?: string } = {},
): Promise<TestClient> => {
  const password = `password of ${userId.slice(1, userId.indexOf(':'))}`
  const identifier = { type: 'm.id.user', user: userId }
  const client = homeserver.stranger()
  const session = await client.call(login, {
    body: {
      type: 'm.login.password',
      identifier,
      password,
      device_id: deviceId,
      initial_device_display_name: displayName,
    },
  })
  return client.with({ accessToken: session.access_token, userId, deviceId: session.device_id })
}

/** The keys of a client's device, signed by it. */
export const deviceKeysOf = ({ userId, deviceId }: TestClient, key = newKey(deviceId)) => {
  const keys = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2', 'm.megolm.v1.aes-sha2'],
    keys: { [`curve25519:${deviceId}`]: newKey().publicKeyBase64, [key.keyId]: key.publicKeyBase64 },
  }
  return {
    key,
    keys: signJson(keys, userId, key) as typeof keys & { signatures: Record<string, Record<string, string>> },
  }
}

/** Publishes keys of a client's device. */
export const publishDevice = async (client: TestClient) => {
  const device = deviceKeysOf(client)
  await client.call(uploadKeys, { body: { device_keys: device.keys } })
  return device
}

/** One-time keys of these IDs. The key says which one it is. */
export const oneTimeKeys = (...ids: readonly string[]) =>
  Object.fromEntries(ids.map((id) => [`signed_curve25519:${id}`, { key: `key ${id}`, signatures: {} }]))

/** Cross-signing keys of a user, the other two signed by the master key. */
export const crossSigningKeysOf = ({ userId }: TestClient, master = newKey()) => {
  const [selfSigning, userSigning] = [newKey(), newKey()]
  const keyOf = (usage: string, key: SigningKey) => ({
    user_id: userId,
    usage: [usage],
    keys: { [key.keyId]: key.publicKeyBase64 },
  })
  const body = {
    master_key: keyOf('master', master),
    self_signing_key: signed(keyOf('self_signing', selfSigning), userId, master),
    user_signing_key: signed(keyOf('user_signing', userSigning), userId, master),
  }
  return { master, selfSigning, userSigning, body }
}

/** Publishes a user's first cross-signing keys. */
export const publishCrossSigning = async (client: TestClient) => {
  const keys = crossSigningKeysOf(client)
  await client.call(uploadCrossSigningKeys, { body: keys.body })
  return keys
}

/** An object with one more signature. */
export const signed = <T extends JsonObject>(object: T, userId: string, key: SigningKey): T =>
  signJson(object, userId, key) as T

/** An answer to a sync from a token on, at once. */
export const syncFrom = (client: TestClient, since?: string, timeoutMs = 0) =>
  client.call(sync, { query: { ...(since === undefined ? {} : { since }), timeout: String(timeoutMs) } })
