import { deviceName } from '#services/accounts/device-name.ts'
import type { Reader } from '#storage/database.ts'
import { type TransactionKey, transactionsOfDevice } from '#storage/stores/transactions.ts'
import type { ByteCache } from '#util/byte-cache.ts'

/** What is known of a device's transactions: their names, of which none is missing once `read` is done. `undefined`: too many to list. */
export type KnownTransactions = { names: Set<string> | undefined; readonly read: Promise<void> }

type Deps = { readonly db: Reader; readonly known: ByteCache<string, KnownTransactions> }

/** A device that made more of them is asked about in the database each time. */
const MAX_LISTED = 4_000
/** Bytes of a name in memory, about. */
const NAME_BYTES = 300

/** Which transactions of the devices in use may have taken effect, so that new ones need no look into the database. */
export class DeviceTransactions {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** False if the transaction surely did not take effect yet. Reads once for a device, then from memory. */
  async mayBeStored(key: TransactionKey): Promise<boolean> {
    const device = deviceName(key)
    const known = this.#deps.known.get(device) ?? this.#read(key)
    await known.read
    return known.names?.has(nameOf(key)) ?? true
  }

  /** The transaction takes effect now, or may do so. */
  note(key: TransactionKey): void {
    const device = deviceName(key)
    const known = this.#deps.known.get(device)
    if (known?.names === undefined) return
    known.names.add(nameOf(key))
    if (known.names.size > MAX_LISTED) known.names = undefined
    // Its size is counted anew each time that it doubled.
    const size = known.names?.size ?? 0
    if ((size & (size - 1)) === 0) this.#deps.known.set(device, known)
  }

  #read(key: TransactionKey): KnownTransactions {
    const { db, known } = this.#deps
    const names = new Set<string>()
    const fill = async () => {
      try {
        const stored = await transactionsOfDevice(db, key, MAX_LISTED)
        if (stored.length === MAX_LISTED) reading.names = undefined
        else for (const one of stored) names.add(nameOf(one))
      } catch (error) {
        known.delete(deviceName(key))
        throw error
      }
    }
    // What takes effect while it is read is noted in it too.
    const reading: KnownTransactions = { names, read: Promise.resolve().then(fill) }
    known.set(deviceName(key), reading)
    return reading
  }
}

/** Bytes of what is known of a device's transactions. */
export const knownTransactionsBytes = ({ names }: KnownTransactions): number => 200 + (names?.size ?? 0) * NAME_BYTES
const nameOf = ({ path, txnId }: Pick<TransactionKey, 'path' | 'txnId'>): string => `${path}\0${txnId}`
