import type { EventId } from '#protocol/identifiers.ts'
import type { LoadedEvent } from '#rooms/loaded-event.ts'
import type { Change } from '#storage/change.ts'
import type { Reader } from '#storage/database.ts'
import {
  type TransactionKey,
  transactionAdded,
  transactionAnswer,
  transactionNew,
} from '#storage/stores/transactions.ts'
import type { ByteCache } from '#util/byte-cache.ts'
import type { Clock } from '#util/clock.ts'
import type { DeviceTransactions } from './device-transactions.ts'

/** A transaction ID with what it belongs to: one device, one path. */
export type TransactionScope = TransactionKey

type Deps = {
  readonly db: Reader
  readonly clock: Clock
  readonly ofDevices: DeviceTransactions
  /** Answers of late, by transaction. */
  readonly recent: ByteCache<string, string>
}

/** The transaction took effect by another request meanwhile. */
export class TransactionTaken extends Error {
  override readonly name = 'TransactionTaken'
}

/** Makes repeated requests have their effect once. https://spec.matrix.org/v1.19/client-server-api/#transaction-identifiers */
export class Transactions {
  readonly #deps: Deps
  readonly #running = new Map<string, Promise<string>>()

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** The answer of the transaction: of its first request, running or done, or of `act`, which must `write` the transaction. */
  async once<T extends string = EventId>(key: TransactionKey, act: () => Promise<T>): Promise<T> {
    const name = nameOf(key)
    const known = this.#deps.recent.get(name) ?? this.#running.get(name)
    if (known !== undefined) return (await known) as T
    const running = this.#act(key, act)
    this.#running.set(name, running)
    try {
      const answer = await running
      this.#deps.recent.set(name, answer)
      return answer as T
    } finally {
      this.#running.delete(name)
    }
  }

  /** Writes the transaction with its effect; the change is refused by `transaction_new` if it took effect before. */
  write(change: Change, key: TransactionKey, event: LoadedEvent): void {
    this.#write(change, key, { answer: event.row.eventId, event: event.row.event })
    event.transaction = { user: key.user, deviceId: key.deviceId, txnId: key.txnId }
  }

  /** As `write`, for a transaction that sends no event to a room: `answer` is what `once` gives when it comes again. */
  writeAnswer(change: Change, key: TransactionKey, answer: string): void {
    this.#write(change, key, { answer, event: undefined })
  }

  #write(
    change: Change,
    key: TransactionKey,
    effect: { readonly answer: string; readonly event: number | undefined },
  ): void {
    const { clock, ofDevices } = this.#deps
    ofDevices.note(key)
    change.require(transactionNew, key).write(transactionAdded, { ...key, ...effect, writtenTs: clock.now() })
  }

  async #act(key: TransactionKey, act: () => Promise<string>): Promise<string> {
    const { db, ofDevices } = this.#deps
    const answer = (await ofDevices.mayBeStored(key)) ? await transactionAnswer(db, key) : undefined
    if (answer !== undefined) return answer
    try {
      return await act()
    } catch (error) {
      const taken = error instanceof TransactionTaken ? await transactionAnswer(db, key) : undefined
      if (taken === undefined) throw error
      return taken
    }
  }
}

const nameOf = ({ user, deviceId, path, txnId }: TransactionKey): string => `${user}\0${deviceId}\0${path}\0${txnId}`
