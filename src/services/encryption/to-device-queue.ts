import { deviceName } from '#services/accounts/device-name.ts'
import type { Users } from '#services/accounts/users.ts'
import type { SyncContext, UserPart, UserSection } from '#services/sync/sections.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  type ToDeviceRow,
  toDeviceAdded,
  toDeviceEnds,
  toDeviceMessages,
  toDeviceRemoved,
} from '#storage/stores/to-device.ts'
import type { ReadThrough } from '#util/read-through.ts'
import { deviceItem } from './device-item.ts'

type Device = { readonly user: number; readonly deviceId: string }
/** Positions of the first and the last message that wait; 0 where none does. */
export type Waiting = { readonly first: number; readonly last: number }

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly users: Users
  readonly remembered: ReadThrough<string, Waiting>
}

/** The most messages of one answer. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging */
const MAX_MESSAGES = 100

/** The messages that wait for devices: each until a token that covers it comes back. https://spec.matrix.org/v1.19/client-server-api/#send-to-device-messaging */
export class ToDeviceQueue {
  readonly #deps: Deps
  /** Removals under way. */
  readonly #removing = new Map<string, number>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** A message waits for a device from this change on. */
  add(change: Change, message: Omit<ToDeviceRow, 'pos'>): void {
    const { user, deviceId } = message
    const pos = change.log({ kind: LOG_KIND.toDevice, user, item: deviceItem(deviceId) })
    change.write(toDeviceAdded, { ...message, pos })
    this.#forget(change, message)
  }

  /** Nothing waits for a device any more. */
  empty(change: Change, { user, deviceId }: Device): void {
    change.write(toDeviceRemoved, { user, deviceId, upTo: Number.MAX_SAFE_INTEGER })
    this.#forget(change, { user, deviceId })
  }

  /** The messages after the one that the token tells of, the same ones however often it comes. What it tells of has arrived. */
  readonly section: UserSection = {
    print: (context) => this.#print(context),
    // Even what has arrived already is removed only when somebody looks.
    isQuiet: ({ device }) => device === undefined || this.#deps.remembered.peek(device)?.last === 0,
    isInEveryAnswer: false,
  }

  async #print({ requester, since, upTo }: SyncContext): Promise<UserPart> {
    const { user, deviceId } = requester
    if (deviceId === undefined) return { fields: [], isNews: false }
    const { db, remembered } = this.#deps
    const device = { user, deviceId }
    const seen = Math.min(since?.toDevice ?? 0, upTo)
    const waiting = await remembered.get(deviceName(device), async () => (await toDeviceEnds(db, device)) ?? NOTHING)
    if (waiting.first > 0 && waiting.first <= seen) this.#arrived(device, seen)
    const messages =
      waiting.last > seen ? await toDeviceMessages(db, device, { since: seen, upTo, limit: MAX_MESSAGES }) : []
    const last = messages.at(-1)
    if (last === undefined) return { fields: [], isNews: false, toDevice: seen }
    const fields = [`"to_device":{"events":[${(await this.#printMessages(messages)).join(',')}]}`]
    return { fields, isNews: true, toDevice: last.pos }
  }

  async #printMessages(messages: readonly ToDeviceRow[]): Promise<string[]> {
    const senders = await this.#deps.users.byNumbers(new Set(messages.map(({ sender }) => sender)))
    return messages.map(({ sender, type, content }) => {
      const userId = JSON.stringify(senders.get(sender)?.userId)
      return `{"content":${content},"sender":${userId},"type":${JSON.stringify(type)}}`
    })
  }

  /** Removes what has arrived. Nobody waits for it: the next token removes it if this fails. */
  #arrived(device: Device, upTo: number): void {
    const name = deviceName(device)
    if ((this.#removing.get(name) ?? 0) >= upTo) return
    this.#removing.set(name, upTo)
    const change = new Change().write(toDeviceRemoved, { ...device, upTo })
    this.#forget(change, device)
    const done = () => {
      if (this.#removing.get(name) === upTo) this.#removing.delete(name)
    }
    this.#deps.commit(change).then(done, done)
  }

  #forget(change: Change, device: Device): void {
    change.onCommitted(() => this.#deps.remembered.forget(deviceName(device)))
  }
}

const NOTHING: Waiting = { first: 0, last: 0 }
