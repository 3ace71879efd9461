import { deviceName } from '#services/accounts/device-name.ts'
import { hasOwn, type SyncContext, type UserPart, type UserSection } from '#services/sync/sections.ts'
import { type Change, LOG_KIND } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import { fallbackKeysOf } from '#storage/stores/fallback-keys.ts'
import { oneTimeKeyCounts, oneTimeKeysChanged } from '#storage/stores/one-time-keys.ts'
import type { ReadThrough } from '#util/read-through.ts'
import { deviceItem } from './device-item.ts'

/** How many keys of a device are left to be claimed, by algorithm, and for which algorithms it has a fallback key that nobody used. */
export type KeyCount = {
  readonly oneTime: Readonly<Record<string, number>>
  readonly unusedFallback: readonly string[]
  /** Both, as fields of an answer. */
  readonly fields: readonly string[]
}
type Device = { readonly user: number; readonly deviceId: string }

type Deps = { readonly db: Reader; readonly remembered: ReadThrough<string, KeyCount> }

/** What devices are told of the keys that they have left. https://spec.matrix.org/v1.19/client-server-api/#e2e-extensions-to-sync */
export class KeyCounts {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** What a device has left. */
  of(device: Device): Promise<KeyCount> {
    return this.#deps.remembered.get(deviceName(device), () => this.now(device))
  }

  /** One-time or fallback keys of the device are other ones from this change on; gives the index of the log entry that says so. */
  changed(change: Change, device: Device): number {
    const { user, deviceId } = device
    const pos = change.log({ kind: LOG_KIND.oneTimeKeys, user, item: deviceItem(deviceId) })
    change.write(oneTimeKeysChanged, { user, deviceId, pos })
    this.forget(change, device)
    return pos
  }

  /** What is remembered of a device is not true after this change. */
  forget(change: Change, device: Device): void {
    change.onCommitted(() => this.#deps.remembered.forget(deviceName(device)))
  }

  /** Both counts, in every answer to a device. */
  readonly section: UserSection = {
    print: (context) => this.#print(context),
    isQuiet: () => true,
    isInEveryAnswer: true,
  }

  #print(context: SyncContext): UserPart | Promise<UserPart> {
    const { user, deviceId, device } = context.requester
    if (deviceId === undefined || device === undefined) return { fields: [], isNews: false }
    const part = ({ fields }: KeyCount) => ({ fields, isNews: isConcerned(context, deviceId) })
    const known = this.#deps.remembered.peek(device)
    return known === undefined ? this.of({ user, deviceId }).then(part) : part(known)
  }

  /** What a device has left, as the database says: that may be ahead of what this process applied. */
  async now(device: Device): Promise<KeyCount> {
    const { db } = this.#deps
    const [counts, fallback] = await Promise.all([oneTimeKeyCounts(db, device), fallbackKeysOf(db, device)])
    // Some clients take the absence of the usual algorithm for "unknown" and upload nothing.
    const left = [[USUAL, 0] as const, ...counts.map(({ algorithm, count }) => [algorithm, count] as const)]
    const oneTime = Object.fromEntries(left)
    const unusedFallback = fallback.filter(({ isUsed }) => !isUsed).map(({ algorithm }) => algorithm)
    return { oneTime, unusedFallback, fields: printFields(oneTime, unusedFallback) }
  }
}

const USUAL = 'signed_curve25519'
/** What the names of the proposal of fallback keys began with, for clients that know no others. */
const PROPOSED = 'org.matrix.msc2732.'

function printFields(oneTime: KeyCount['oneTime'], unusedFallback: KeyCount['unusedFallback']): string[] {
  const types = JSON.stringify(unusedFallback)
  return [
    `"device_one_time_keys_count":${JSON.stringify(oneTime)}`,
    `"device_unused_fallback_key_types":${types}`,
    `"${PROPOSED}device_unused_fallback_key_types":${types}`,
  ]
}

/** Whether the log speaks of this device of the user's. */
function isConcerned(context: SyncContext, deviceId: string): boolean {
  if (!hasOwn(context, LOG_KIND.oneTimeKeys)) return false
  const item = deviceItem(deviceId)
  return context.own?.some((entry) => entry.kind === LOG_KIND.oneTimeKeys && entry.item === item) ?? true
}
