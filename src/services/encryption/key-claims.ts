import { invalidParam, tooLarge } from '#protocol/errors.ts'
import { deviceName } from '#services/accounts/device-name.ts'
import type { Users } from '#services/accounts/users.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { fallbackKeyTaken } from '#storage/stores/fallback-keys.ts'
import { type Claimable, claimableKeys, oneTimeKeyClaimed } from '#storage/stores/one-time-keys.ts'
import type { Json, JsonObject } from '#util/json.ts'
import { inSlices } from './in-slices.ts'
import type { KeyCounts } from './key-counts.ts'
import { askedUsers } from './local-users.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly users: Users; readonly counts: KeyCounts }

/** By user, by device: the algorithm. */
export type WantedKeys = Readonly<Record<string, Readonly<Record<string, string>>>>
/** By user, by device: a key by its name. */
export type ClaimedKeys = {
  readonly keys: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, Json>>>>>>
  readonly failures: Readonly<Record<string, JsonObject>>
}

type Device = { readonly user: number; readonly deviceId: string }
type Given = Device & { readonly algorithm: string; readonly keyId: string; readonly key: string }

/** The most devices of one request. */
const MAX_DEVICES = 10_000
const MAX_ALGORITHMS = 20
/** How many keys are claimed in one change. */
const SLICE = 500

/** Gives the keys of devices away, each one-time key once. https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3keysclaim */
export class KeyClaims {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** One key for each device that has one. What another claim took first is not here; devices without any are not either. */
  async claim(wanted: WantedKeys): Promise<ClaimedKeys> {
    const { numbers, failures } = await askedUsers(this.#deps.users, Object.keys(wanted))
    const byAlgorithm = new Map<string, Device[]>()
    let count = 0
    for (const [userId, user] of numbers) {
      for (const [deviceId, algorithm] of Object.entries(wanted[userId] ?? {})) {
        const devices = byAlgorithm.get(algorithm) ?? []
        byAlgorithm.set(algorithm, devices)
        devices.push({ user, deviceId })
        if (++count > MAX_DEVICES) throw tooLarge(`Keys of at most ${MAX_DEVICES} devices are claimed at once`)
      }
    }
    if (byAlgorithm.size > MAX_ALGORITHMS) throw invalidParam(`Expected at most ${MAX_ALGORITHMS} algorithms`)
    const given: Given[] = []
    for (const [algorithm, devices] of byAlgorithm) {
      for await (const slice of inSlices(devices, SLICE)) given.push(...(await this.#claim(algorithm, slice)))
    }
    return { keys: byUser(given, numbers), failures }
  }

  async #claim(algorithm: string, devices: readonly Device[]): Promise<Given[]> {
    const { db, commit, counts } = this.#deps
    const wanted = new Set(devices.map(deviceName))
    const found = await claimableKeys(db, algorithm, {
      users: new Set(devices.map(({ user }) => user)),
      deviceIds: new Set(devices.map(({ deviceId }) => deviceId)),
    })
    const change = new Change()
    const given: Given[] = []
    for (const one of found.filter((each) => wanted.has(deviceName(each)))) {
      const { user, deviceId } = one
      const used = usedFallback(one, algorithm)
      if (used !== undefined) given.push(used)
      else if (one.hasOneTimeKey || one.fallbackKeyId !== undefined) {
        change.write(fallbackKeyTaken, { user, deviceId, algorithm })
        change.write(oneTimeKeyClaimed, { user, deviceId, algorithm })
        counts.changed(change, one)
      }
    }
    if (change.operations.length === 0) return given
    const outcome = await commit(change)
    if (!outcome.ok) throw new Error(`a claim was refused by ${outcome.refusedBy}`)
    return [...given, ...outcome.returned(fallbackKeyTaken), ...outcome.returned(oneTimeKeyClaimed)]
  }
}

/** The key of a device that has nothing else left than a fallback key that was used before: giving it again changes nothing. */
const usedFallback = (one: Claimable, algorithm: string): Given | undefined => {
  const { user, deviceId, hasOneTimeKey, fallbackKeyId: keyId, fallbackKey: key, isFallbackUsed } = one
  if (hasOneTimeKey || isFallbackUsed !== true || keyId === undefined || key === undefined) return undefined
  return { user, deviceId, algorithm, keyId, key }
}

function byUser(given: readonly Given[], numbers: ReadonlyMap<string, number>): ClaimedKeys['keys'] {
  const byNumber = Map.groupBy(given, ({ user }) => user)
  return Object.fromEntries(
    [...numbers].flatMap(([userId, user]) => {
      const keys = byNumber.get(user)?.map(({ deviceId, algorithm, keyId, key }) => {
        const named = { [`${algorithm}:${keyId}`]: JSON.parse(key) as Json }
        return [deviceId, named] as const
      })
      return keys === undefined ? [] : [[userId, Object.fromEntries(keys)] as const]
    }),
  )
}
