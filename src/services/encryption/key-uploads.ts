import type { Requester } from '#api/requester.ts'
import { canonicalJson, canonicalJsonWithout } from '#protocol/canonical-json.ts'
import { invalidParam, tooLarge, unknown, unknownToken } from '#protocol/errors.ts'
import { fitsIdentifier } from '#protocol/identifiers.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { deviceExists, deviceKeysOf, deviceKeysSet } from '#storage/stores/device-keys.ts'
import { fallbackKeySet, fallbackKeysOf, fallbackKeysRemoved } from '#storage/stores/fallback-keys.ts'
import { keySignaturesRemoved } from '#storage/stores/key-signatures.ts'
import {
  claimedKeyForgotten,
  type OneTimeKeyRow,
  oneTimeKeyAdded,
  oneTimeKeyFits,
  oneTimeKeysOf,
  oneTimeKeysRemoved,
} from '#storage/stores/one-time-keys.ts'
import { get, isObject, type Json, type JsonObject, type WrittenObject } from '#util/json.ts'
import type { KeyCounts } from './key-counts.ts'
import { noteDeviceListChange } from './note-device-list.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly counts: KeyCounts }

/** What a device publishes. One-time and fallback keys: by `<algorithm>:<key ID>`. */
export type KeyUpload = {
  readonly deviceKeys: WrittenObject | undefined
  readonly oneTimeKeys: WrittenObject | undefined
  readonly fallbackKeys: WrittenObject | undefined
}

type NamedKey = {
  readonly name: string
  readonly algorithm: string
  readonly keyId: string
  /** As canonical JSON. */
  readonly key: string
}
type Read = {
  readonly device: { readonly user: number; readonly deviceId: string }
  readonly deviceKeys: JsonObject | undefined
  readonly oneTimeKeys: readonly NamedKey[]
  readonly fallbackKeys: readonly NamedKey[]
}

/** The largest keys of a device, as canonical JSON; the specification sets no bound. */
const MAX_DEVICE_KEYS_BYTES = 32 * 1024
/** The largest one-time or fallback key, as canonical JSON; the specification sets no bound. */
const MAX_KEY_BYTES = 8 * 1024
/** The most one-time keys of a device. Clients keep 50 to 100. */
const MAX_ONE_TIME_KEYS = 1_000
/** How often an upload is judged again because another one of the same device came first. */
const ATTEMPTS = 10

/** Takes the keys that devices publish. https://spec.matrix.org/v1.19/client-server-api/#uploading-keys */
export class KeyUploads {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Publishes all of it or nothing; resolves to how many one-time keys the device has then. */
  async upload(requester: Requester, upload: KeyUpload): Promise<Readonly<Record<string, number>>> {
    const read = readUpload(requester, upload)
    for (let attempt = 1; ; attempt++) {
      const change = await this.#change(read)
      if (change === undefined) break
      const outcome = await this.#deps.commit(change)
      if (outcome.ok) break
      if (outcome.refusedBy === 'device_exists') throw unknownToken({ error: 'The device was logged out' })
      if (attempt === ATTEMPTS) throw unknown('The device uploads too much at once. Try again.', { status: 503 })
    }
    return (await this.#deps.counts.now(read.device)).oneTime
  }

  /** What is to be written; `undefined` if everything is there already. */
  async #change(read: Read): Promise<Change | undefined> {
    const { device } = read
    const change = new Change().require(deviceExists, device)
    const isNewIdentity = await this.#addDeviceKeys(change, read)
    const known = isNewIdentity ? [] : await oneTimeKeysOf(this.#deps.db, device, 2 * MAX_ONE_TIME_KEYS)
    const added = newKeys(read.oneTimeKeys, known)
    const fallback = isNewIdentity ? read.fallbackKeys : await this.#newFallbackKeys(read)
    if (isNewIdentity) change.write(oneTimeKeysRemoved, device).write(fallbackKeysRemoved, device)
    if (isNewIdentity || added.length > 0 || fallback.length > 0) {
      const pos = this.#deps.counts.changed(change, device)
      if (added.length > 0) addOneTimeKeys(change, read, { known, added, pos, isNewIdentity })
      for (const { algorithm, keyId, key } of fallback) {
        change.write(fallbackKeySet, { ...device, algorithm, keyId, key, isUsed: false })
      }
    }
    return change.operations.length === 0 ? undefined : change
  }

  /**
   * Adds the device's keys if they are others than before. Resolves to whether it had others: what they signed, and what was signed of them,
   * is of no use any more.
   */
  async #addDeviceKeys(change: Change, { device, deviceKeys }: Read): Promise<boolean> {
    if (deviceKeys === undefined) return false
    const keys = canonicalJsonWithout(deviceKeys, ['unsigned'])
    const known = await deviceKeysOf(this.#deps.db, device.user, device.deviceId)
    if (known?.keys === keys) return false
    change.write(deviceKeysSet, { ...device, keys })
    noteDeviceListChange(change, device.user)
    const before = known === undefined ? undefined : (JSON.parse(known.keys) as JsonObject)
    if (before !== undefined && identityOf(before) === identityOf(deviceKeys)) return false
    change.write(keySignaturesRemoved, { signedUser: device.user, target: device.deviceId })
    return before !== undefined
  }

  async #newFallbackKeys({ device, fallbackKeys }: Read): Promise<NamedKey[]> {
    if (fallbackKeys.length === 0) return []
    const known = await fallbackKeysOf(this.#deps.db, device)
    return fallbackKeys.filter((one) => !known.some((other) => other.algorithm === one.algorithm && isSame(other, one)))
  }
}

type Adding = {
  readonly known: readonly OneTimeKeyRow[]
  readonly added: readonly NamedKey[]
  readonly pos: number
  readonly isNewIdentity: boolean
}

function addOneTimeKeys(change: Change, { device, oneTimeKeys }: Read, adding: Adding): void {
  const { known, added, pos, isNewIdentity } = adding
  const uploaded = new Map(oneTimeKeys.map((one) => [one.name, one]))
  // Whoever uploads other keys knows that what was uploaded before has arrived, and will not repeat it.
  const forgotten = known.filter((row) => {
    const again = uploaded.get(`${row.algorithm}:${row.keyId}`)
    return row.isClaimed && (again === undefined || !isSame(row, again))
  })
  if (known.length - forgotten.length + added.length > MAX_ONE_TIME_KEYS) {
    throw tooLarge(`A device can have ${MAX_ONE_TIME_KEYS} one-time keys, not more`)
  }
  for (const { algorithm, keyId } of forgotten) change.write(claimedKeyForgotten, { ...device, algorithm, keyId })
  for (const { algorithm, keyId, key } of added) {
    if (!isNewIdentity) change.require(oneTimeKeyFits, { ...device, algorithm, keyId, key })
    change.write(oneTimeKeyAdded, { ...device, algorithm, keyId, key, pos, isClaimed: false })
  }
}

/** Those that are not there yet. Throws where another key of the same ID waits to be claimed. */
function newKeys(uploaded: readonly NamedKey[], known: readonly OneTimeKeyRow[]): NamedKey[] {
  const rows = new Map(known.map((row) => [`${row.algorithm}:${row.keyId}`, row]))
  return uploaded.filter((one) => {
    const row = rows.get(one.name)
    if (row === undefined) return true
    if (isSame(row, one)) return false
    // Clients look for these words and the keys after them.
    if (!row.isClaimed) {
      throw unknown(`One time key ${one.name} already exists. Old key: ${row.key}; new key: ${one.key}`, {
        status: 400,
      })
    }
    return true
  })
}

const isSame = (a: Pick<NamedKey, 'keyId' | 'key'>, b: Pick<NamedKey, 'keyId' | 'key'>): boolean =>
  a.keyId === b.keyId && a.key === b.key

/** What makes a device another one if it changes. */
const identityOf = (deviceKeys: JsonObject): string => canonicalJson(get(deviceKeys, 'keys') ?? {})

function readUpload({ user, userId, deviceId }: Requester, upload: KeyUpload): Read {
  if (deviceId === undefined) throw unknown('Only devices have keys, and this access token is of none', { status: 400 })
  const deviceKeys = isObject(upload.deviceKeys) ? upload.deviceKeys : undefined
  if (deviceKeys !== undefined) {
    if (get(deviceKeys, 'user_id') !== userId) throw invalidParam(`'device_keys.user_id' must be ${userId}`)
    if (get(deviceKeys, 'device_id') !== deviceId) throw invalidParam(`'device_keys.device_id' must be ${deviceId}`)
    mustFit(canonicalJson(deviceKeys), MAX_DEVICE_KEYS_BYTES, "'device_keys'")
  }
  const fallback = readKeys(upload.fallbackKeys, 'fallback_keys')
  return {
    device: { user, deviceId },
    deviceKeys,
    oneTimeKeys: readKeys(upload.oneTimeKeys, 'one_time_keys'),
    // One for each algorithm.
    fallbackKeys: [...new Map(fallback.map((one) => [one.algorithm, one])).values()],
  }
}

function readKeys(keys: WrittenObject | undefined, field: string): NamedKey[] {
  const entries = isObject(keys) ? Object.entries(keys) : []
  if (entries.length > MAX_ONE_TIME_KEYS) throw tooLarge(`'${field}' may have ${MAX_ONE_TIME_KEYS} keys, not more`)
  return entries.map(([name, value]) => readKey(name, value, field))
}

function readKey(name: string, value: Json, field: string): NamedKey {
  const colon = name.indexOf(':')
  const [algorithm, keyId] = [name.slice(0, Math.max(colon, 0)), name.slice(colon + 1)]
  if (algorithm === '' || keyId === '' || !fitsIdentifier(algorithm) || !fitsIdentifier(keyId)) {
    throw invalidParam(`The keys of '${field}' are named <algorithm>:<key ID>, each of at most 255 bytes`)
  }
  const key = canonicalJson(value)
  mustFit(key, MAX_KEY_BYTES, `A key of '${field}'`)
  return { name, algorithm, keyId, key }
}

function mustFit(json: string, maxBytes: number, what: string): void {
  if (Buffer.byteLength(json) > maxBytes) throw tooLarge(`${what} may have ${maxBytes} bytes, not more`)
}
