import type { Requester } from '#api/requester.ts'
import { invalidParam, tooLarge } from '#protocol/errors.ts'
import { fitsIdentifier, type UserId } from '#protocol/identifiers.ts'
import { deviceName } from '#services/accounts/device-name.ts'
import type { Users } from '#services/accounts/users.ts'
import { type Transactions, TransactionTaken } from '#services/events/transactions.ts'
import type { Limiter } from '#services/limiter.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { devicesNamed, devicesOfUsers } from '#storage/stores/device-keys.ts'
import type { JsonObject } from '#util/json.ts'
import { askedUsers } from './local-users.ts'
import type { ToDeviceQueue } from './to-device-queue.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly users: Users
  readonly transactions: Transactions
  readonly queue: ToDeviceQueue
  readonly keyRequestLimiter: Limiter
}

/** Messages by user, by device ID, where `*` stands for all devices that are not named. */
export type ToDeviceMessages = {
  readonly type: string
  readonly txnId: string
  readonly messages: Readonly<Record<string, Readonly<Record<string, JsonObject>>>>
}

type Message = { readonly user: number; readonly deviceId: string; readonly content: string }

/** The largest content of a message, as JSON: it must fit a transaction between servers. */
const MAX_CONTENT_BYTES = 64 * 1024
/** The most devices that one request reaches, and the most bytes that it brings them together. */
const MAX_DEVICES = 10_000
const MAX_BYTES = 16 * 1024 * 1024

/** Sends messages to devices. https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3sendtodeviceeventtypetxnid */
export class ToDevice {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Queues the messages, once for each transaction. Users of other servers, and devices that there are not, get nothing. */
  async send(requester: Requester, { type, txnId, messages }: ToDeviceMessages): Promise<void> {
    if (!fitsIdentifier(type)) throw invalidParam('The type of a message has at most 255 bytes')
    const { db, commit, transactions, queue } = this.#deps
    const key = { user: requester.user, deviceId: requester.deviceId ?? '', path: `sendToDevice/${type}`, txnId }
    await transactions.once<''>(key, async () => {
      const change = new Change()
      transactions.writeAnswer(change, key, '')
      const asked = await askedUsers(this.#deps.users, Object.keys(messages))
      const numbers = await this.#recipients(requester, type, asked.numbers)
      for (const { user, deviceId, content } of await messagesTo(db, numbers, messages)) {
        queue.add(change, { user, deviceId, sender: requester.user, type, content })
      }
      const outcome = await commit(change)
      if (!outcome.ok) throw new TransactionTaken()
      return ''
    })
  }

  /** Whom the sender reaches: shadow-banned ones nobody but themselves, and those who ask for too many keys likewise. */
  async #recipients(
    requester: Requester,
    type: string,
    numbers: ReadonlyMap<UserId, number>,
  ): Promise<ReadonlyMap<UserId, number>> {
    const own = new Map([...numbers].filter(([userId]) => userId === requester.userId))
    if (requester.isShadowBanned) return own
    const others = numbers.size - own.size
    if (type !== 'm.room_key_request' || others === 0 || requester.isExemptFromRateLimits) return numbers
    try {
      await this.#deps.keyRequestLimiter.take(`${requester.user}\0${requester.deviceId}`, others)
      return numbers
    } catch {
      // Requests for keys may get lost, and clients that flood others with them do not listen to errors.
      return own
    }
  }
}

async function messagesTo(
  db: Reader,
  numbers: ReadonlyMap<UserId, number>,
  messages: ToDeviceMessages['messages'],
): Promise<Message[]> {
  const toAll = new Map<number, string>()
  const named = new Map<string, string>()
  const deviceIds = new Set<string>()
  for (const [userId, user] of numbers) {
    for (const [deviceId, content] of Object.entries(messages[userId] ?? {})) {
      const text = JSON.stringify(content)
      if (Buffer.byteLength(text) > MAX_CONTENT_BYTES) {
        throw tooLarge(`A message may have ${MAX_CONTENT_BYTES} bytes, not more`)
      }
      if (deviceId === '*') toAll.set(user, text)
      else named.set(deviceName({ user, deviceId }), text)
      deviceIds.add(deviceId)
    }
  }
  const limit = MAX_DEVICES + 1
  const namedUsers = [...numbers.values()].filter((user) => !toAll.has(user))
  const devices = [
    ...(await devicesOfUsers(db, toAll.keys(), limit)),
    ...(await devicesNamed(db, namedUsers, { deviceIds, limit })),
  ]
  if (devices.length > MAX_DEVICES) throw tooLarge(`A request reaches ${MAX_DEVICES} devices, not more`)
  const found = devices.flatMap(({ user, deviceId }) => {
    const content = named.get(deviceName({ user, deviceId })) ?? toAll.get(user)
    return content === undefined ? [] : [{ user, deviceId, content }]
  })
  if (found.reduce((sum, { content }) => sum + content.length, 0) > MAX_BYTES) {
    throw tooLarge(`A request brings ${MAX_BYTES} bytes to devices, not more`)
  }
  return found
}
