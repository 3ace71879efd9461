import type { Requester } from '#api/requester.ts'
import { type MatrixError, notFound, unknown } from '#protocol/errors.ts'
import type { Confirmations } from '#services/accounts/interactive-auth/confirmations.ts'
import { usedMeanwhile } from '#services/accounts/interactive-auth/interactive-auth.ts'
import type { Sessions } from '#services/sessions/sessions.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { type DeviceRow, deviceOf, deviceRemoved, deviceRenamed, devicesOf } from '#storage/stores/devices.ts'
import { deviceSessionIs, sessionsOf } from '#storage/stores/sessions.ts'
import type { SentFields } from './password-check.ts'

/** Adds to a change what else follows when a device is gone, or called otherwise. */
export type DeviceCleanup = (change: Change, device: { readonly user: number; readonly deviceId: string }) => void

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly sessions: Sessions
  readonly confirmations: Confirmations
  readonly whenGone: readonly DeviceCleanup[]
  readonly whenRenamed: readonly DeviceCleanup[]
}

/** Which devices of a user are to go, and what belongs into the same commit. */
export type Removal = {
  readonly user: number
  /** Of a device, or of a session without one. `session`: 0 where the device has none. */
  readonly isGoing: (deviceId: string | undefined, session: number) => boolean
  readonly write?: (change: Change) => void
  /** The error where one of the conditions that `write` added does not hold. */
  readonly refused?: (condition: string) => MatrixError | undefined
}

/** How many devices go in one commit. */
const PER_COMMIT = 500
/** How often it is tried again because somebody logs in on one of the devices. */
const ATTEMPTS = 5

/** The devices of local users. https://spec.matrix.org/v1.19/client-server-api/#device-management */
export class Devices {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  list({ user }: Requester): Promise<DeviceRow[]> {
    return devicesOf(this.#deps.db, user)
  }

  /** One of the user's devices; throws where there is none. */
  async get({ user }: Requester, deviceId: string): Promise<DeviceRow> {
    const device = await deviceOf(this.#deps.db, user, deviceId)
    if (device === undefined) throw notFound('You have no such device')
    return device
  }

  /** Gives a device another name; `undefined` leaves it. */
  async rename(requester: Requester, deviceId: string, displayName: string | undefined): Promise<void> {
    const { commit, whenRenamed } = this.#deps
    const { user } = requester
    const device = await this.get(requester, deviceId)
    if (displayName === undefined || displayName === device.displayName) return
    const change = new Change().write(deviceRenamed, { user, deviceId, displayName })
    for (const write of whenRenamed) write(change, { user, deviceId })
    change.log({ kind: LOG_KIND.device, user })
    await commit(change)
  }

  /** Removes devices once the user has confirmed it. What is not there is no error. */
  async remove(requester: Requester, deviceIds: readonly string[], auth: SentFields | undefined): Promise<void> {
    const going = new Set(deviceIds)
    const operation = `remove devices ${JSON.stringify([...going].sort())}`
    const confirmed = await this.#deps.confirmations.ask(requester, { operation, auth, mayBeRecent: true })
    await this.end({
      user: requester.user,
      isGoing: (deviceId) => deviceId !== undefined && going.has(deviceId),
      write: confirmed.finish,
    })
  }

  /** Ends the session that asks, and its device with it. */
  async logout({ user, deviceId, session }: Requester): Promise<void> {
    if (deviceId !== undefined) return this.end({ user, isGoing: (one) => one === deviceId })
    const change = new Change()
    this.#deps.sessions.end(change, { session })
    await this.#deps.commit(change)
  }

  /** Ends all sessions of the user, and all devices with them. */
  async logoutAll({ user }: { readonly user: number }, write?: (change: Change) => void): Promise<void> {
    await this.end({ user, isGoing: () => true, ...(write === undefined ? {} : { write }) })
  }

  /** Removes devices with their sessions and everything that belongs to them, and sessions without a device. */
  async end(removal: Removal): Promise<void> {
    for (let attempt = 1, isFirst = true; ; ) {
      const { change, isLast } = await this.#removal(removal, isFirst)
      const outcome = await this.#deps.commit(change)
      if (outcome.ok) {
        if (isLast) return
        isFirst = false
      } else if (outcome.refusedBy !== deviceSessionIs.name) {
        throw removal.refused?.(outcome.refusedBy) ?? usedMeanwhile()
      } else if (attempt++ === ATTEMPTS) {
        throw unknown('Others log in on these devices. Try again.', { status: 503 })
      }
    }
  }

  async #removal(
    { user, isGoing, write }: Removal,
    isFirst: boolean,
  ): Promise<{ readonly change: Change; readonly isLast: boolean }> {
    const { db, sessions, whenGone } = this.#deps
    const all = await sessionsOf(db, user)
    const sessionOn = new Map(all.map((session) => [session.deviceId, session]))
    const devices = (await devicesOf(db, user))
      .map(({ deviceId }) => deviceId)
      .filter((deviceId) => isGoing(deviceId, sessionOn.get(deviceId)?.session ?? 0))
    const taken = devices.slice(0, PER_COMMIT)
    const change = new Change()
    if (isFirst) write?.(change)
    for (const deviceId of taken) {
      const session = sessionOn.get(deviceId)
      change.require(deviceSessionIs, { user, deviceId, session: session?.session ?? 0 })
      if (session !== undefined) sessions.end(change, session)
      change.write(deviceRemoved, { user, deviceId })
      for (const clean of whenGone) clean(change, { user, deviceId })
    }
    const isLast = taken.length === devices.length
    for (const one of isLast ? all : []) {
      if (one.deviceId === undefined && isGoing(undefined, one.session)) sessions.end(change, one)
    }
    if (taken.length > 0) change.log({ kind: LOG_KIND.device, user })
    return { change, isLast }
  }
}
