import type { Requester } from '#api/requester.ts'
import { tooLarge } from '#protocol/errors.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { withSignature } from '#protocol/signing/sign-json.ts'
import type { Users } from '#services/accounts/users.ts'
import type { Reader } from '#storage/database.ts'
import { type CrossSigningKeyRow, crossSigningKeysOf } from '#storage/stores/cross-signing.ts'
import { deviceKeysOfUsers, type NamedDeviceKeys } from '#storage/stores/device-keys.ts'
import { type KeySignatureRow, visibleSignatures } from '#storage/stores/key-signatures.ts'
import type { JsonObject } from '#util/json.ts'
import { inSlices } from './in-slices.ts'
import { askedUsers } from './local-users.ts'

type Deps = { readonly db: Reader; readonly users: Users }

/** By user: device IDs, or none for all of them. */
export type AskedKeys = Readonly<Record<string, readonly string[]>>

/** What there is of the users. Cross-signing keys by user. */
export type FoundKeys = {
  readonly deviceKeys: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
  readonly masterKeys: Readonly<Record<string, JsonObject>>
  readonly selfSigningKeys: Readonly<Record<string, JsonObject>>
  readonly userSigningKeys: Readonly<Record<string, JsonObject>>
  readonly failures: Readonly<Record<string, JsonObject>>
}

type Found = {
  readonly devices: Map<string, Readonly<Record<string, JsonObject>>>
  readonly keys: Readonly<Record<CrossSigningKeyRow['usage'], Map<string, JsonObject>>>
}

/** The most users of one request. */
const MAX_USERS = 10_000
/** How many users are read at once, and how many devices. */
const SLICE = 100
const PAGE = 1_000
/** More signatures than this on the keys of a slice of users are not shown. */
const MAX_SIGNATURES = 50_000

/** Tells users' keys, with the signatures that the one who asks may see. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysquery */
export class KeyQueries {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async query(requester: Requester, asked: AskedKeys): Promise<FoundKeys> {
    const userIds = Object.keys(asked)
    if (userIds.length > MAX_USERS) throw tooLarge(`Keys of at most ${MAX_USERS} users are told at once`)
    const { numbers, local, failures } = await askedUsers(this.#deps.users, userIds)
    const found: Found = {
      // Whoever is asked of is in the answer, there or not: clients ask again and again for those who are not.
      devices: new Map(local.map((userId) => [userId, {}])),
      keys: { master: new Map(), self_signing: new Map(), user_signing: new Map() },
    }
    for await (const slice of inSlices(numbers, SLICE)) await this.#find(requester, new Map(slice), asked, found)
    return {
      deviceKeys: Object.fromEntries(found.devices),
      masterKeys: Object.fromEntries(found.keys.master),
      selfSigningKeys: Object.fromEntries(found.keys.self_signing),
      userSigningKeys: Object.fromEntries(found.keys.user_signing),
      failures,
    }
  }

  async #find(requester: Requester, slice: ReadonlyMap<UserId, number>, asked: AskedKeys, found: Found): Promise<void> {
    const { db } = this.#deps
    const numbers = [...slice.values()]
    const [devices, crossSigning, signatures] = await Promise.all([
      this.#devices(numbers),
      crossSigningKeysOf(db, numbers),
      visibleSignatures(db, numbers, { viewer: requester.user, limit: MAX_SIGNATURES }),
    ])
    const userIds = new Map([...slice].map(([userId, user]) => [user, userId]))
    const signer = userIds.set(requester.user, requester.userId)
    const signed = signing(signatures, signer)
    const byUser = Map.groupBy(devices, ({ user }) => user)
    for (const [userId, user] of slice) {
      const wanted = new Set(asked[userId])
      const own = (byUser.get(user) ?? []).filter(({ deviceId }) => wanted.size === 0 || wanted.has(deviceId))
      found.devices.set(
        userId,
        Object.fromEntries(own.map((row) => [row.deviceId, withName(signed(user, row.deviceId, row.keys), row)])),
      )
    }
    for (const { user, usage, publicKey, key } of crossSigning) {
      const userId = userIds.get(user)
      if (userId === undefined || (usage === 'user_signing' && user !== requester.user)) continue
      found.keys[usage].set(userId, signed(user, publicKey, key))
    }
  }

  async #devices(users: readonly number[]): Promise<NamedDeviceKeys[]> {
    const devices: NamedDeviceKeys[] = []
    for (;;) {
      const after = devices.at(-1) ?? { user: 0, deviceId: '' }
      const page = await deviceKeysOfUsers(this.#deps.db, users, { after, limit: PAGE })
      devices.push(...page)
      if (page.length < PAGE) return devices
    }
  }
}

/** Puts the signatures that came apart to the keys they sign. */
function signing(signatures: readonly KeySignatureRow[], userIds: ReadonlyMap<number, string>) {
  const byTarget = Map.groupBy(signatures, ({ signedUser, target }) => `${signedUser}\0${target}`)
  return (user: number, target: string, keys: string): JsonObject => {
    let object = JSON.parse(keys) as JsonObject
    for (const { signer, keyId, signature } of byTarget.get(`${user}\0${target}`) ?? []) {
      const entity = userIds.get(signer)
      if (entity !== undefined) object = withSignature(object, { entity, keyId, signature })
    }
    return object
  }
}

const withName = (keys: JsonObject, { displayName }: NamedDeviceKeys): JsonObject => ({
  ...keys,
  unsigned: displayName === undefined ? {} : { device_display_name: displayName },
})
