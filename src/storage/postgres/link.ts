import { DatabaseUnavailable } from '#storage/database.ts'
import type { Clock } from '#util/clock.ts'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import type { Logger } from '#util/logger.ts'
import { type Connection, unavailable } from './connection.ts'
import { Connector, type Purpose } from './connector.ts'
import { boundsOf, Heartbeat } from './heartbeat.ts'
import { DatabaseOutage } from './outage.ts'

/** How a process uses a database server. */
export type LinkSettings = {
  readonly parameters: ConnectionParameters
  readonly pool: { readonly min: number; readonly max: number }
  /** `undefined`: no limit. */
  readonly statementTimeoutMs: number | undefined
  readonly isCommitSynchronous: boolean
  /** Transactions after which a connection is made anew; 0 for never. */
  readonly maxTransactions: number
}
type Deps = LinkSettings & {
  /** The time of wires and waiting, which nobody moves. */
  readonly clock: Clock
  readonly log: Logger
}

/** How long writing may wait for a database that went away, before it is told to be unavailable. */
export const PATIENCE_MS = 20_000
/** How long a connection may take to end well. */
const END_MS = 5_000

/** What reader and writer share: how connections are made, who watches them, and whether the database is there at all. */
export class Link implements Disposable {
  readonly clock: Clock
  readonly log: Logger
  readonly heartbeat: Heartbeat
  readonly outage: DatabaseOutage
  readonly maxReaders: number
  readonly minReaders: number
  readonly maxTransactions: number
  /** A statement that has no answer after that will have none. */
  readonly longestMs: number
  readonly #connector: Connector
  readonly #ending = new Set<Connection>()

  constructor(deps: Deps) {
    const { clock, log, parameters, pool } = deps
    const bounds = boundsOf(parameters)
    this.clock = clock
    this.log = log
    // One connection is the writer's.
    this.maxReaders = Math.max(1, pool.max - 1)
    this.minReaders = Math.max(1, Math.min(pool.min - 1, this.maxReaders))
    this.maxTransactions = deps.maxTransactions
    this.longestMs = (deps.statementTimeoutMs ?? Number.POSITIVE_INFINITY) + bounds.silenceMs
    this.#connector = new Connector({ ...deps, patienceMs: bounds.silenceMs })
    this.outage = new DatabaseOutage({
      clock,
      log,
      look: async () => void (await this.end(await this.#connector.connect({ name: 'look' }))),
    })
    this.heartbeat = new Heartbeat({
      bounds,
      clock,
      log,
      connectTo: (at, timeoutMs) => this.#connector.connectTo(at, { name: 'probe' }, timeoutMs),
      onLost: (reason) => this.outage.begin(reason, { patienceMs: 0 }),
    })
  }

  /** The first connection, at the start: whatever is wrong is told as it is. */
  connectAtStart(): Promise<Connection> {
    return this.#connector.connect({ name: 'start' })
  }

  /**
   * A connection for a running server. While the database is known to be away, nothing is tried. That a spare one cannot be had, of a server
   * with no room for more, says nothing about those that there are.
   */
  async connect(purpose: Purpose, { isSpare = false }: { readonly isSpare?: boolean } = {}): Promise<Connection> {
    const { reason } = this.outage
    if (reason !== undefined) throw new DatabaseUnavailable(reason)
    try {
      return await this.#connector.connect(purpose)
    } catch (error) {
      if (isSpare) throw unavailable(error)
      this.outage.begin(error instanceof Error ? error.message : String(error), { patienceMs: PATIENCE_MS })
      throw unavailable(error)
    }
  }

  /** Ends a connection once its queries are answered; one that does not get there is broken off when no answer can come any more. */
  async end(connection: Connection): Promise<void> {
    this.#ending.add(connection)
    const stop = Number.isFinite(this.longestMs)
      ? this.clock.after(Math.min(this.longestMs, 2 ** 31 - 1), () => connection.socket.destroy())
      : () => {}
    // A lost connection has ended as well.
    await connection.client.end().catch(() => {})
    stop()
    this.#ending.delete(connection)
  }

  /** Looks for nothing any more, and breaks off what does not end. */
  [Symbol.dispose](): void {
    this.outage.close()
    this.heartbeat.stop()
    for (const { socket } of this.#ending) this.clock.after(END_MS, () => socket.destroy())
  }
}
