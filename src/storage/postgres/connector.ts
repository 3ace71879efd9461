import { DatabaseRefused, DatabaseUnavailable } from '#storage/database.ts'
import type { Clock } from '#util/clock.ts'
import type { ConnectionParameters, Host, TargetSession } from '#util/libpq/parameters.ts'
import type { Logger } from '#util/logger.ts'
import { shuffled } from '#util/shuffle.ts'
import { adviceFor, ConnectFailure } from './connect-failure.ts'
import { type Connection, handOver } from './connection.ts'
import { type Address, addressesOf, reach } from './reach.ts'
import { isWanted } from './session-attributes.ts'

/** What all connections of a process share. */
export type ConnectorDeps = {
  readonly parameters: ConnectionParameters
  /** `undefined`: no limit. */
  readonly statementTimeoutMs: number | undefined
  readonly isCommitSynchronous: boolean
  /** For each address, where `connect_timeout` says nothing. */
  readonly patienceMs: number
  /** The time of wires and waiting, which nobody moves. */
  readonly clock: Clock
  readonly log: Logger
}

/** What a connection is for. */
export type Purpose = { readonly name: string; readonly isPipelined?: boolean }

type Wish = { readonly purpose: Purpose; readonly timeoutMs: number; readonly wanted: TargetSession | undefined }

/** Makes connections as libpq would, each with the same settings. */
export class Connector {
  readonly #deps: ConnectorDeps
  readonly #warned = new Set<string>()

  constructor(deps: ConnectorDeps) {
    this.#deps = deps
  }

  /** Connects to the first host of the list that will do. Throws `DatabaseRefused` where an administrator must act, else `DatabaseUnavailable`. */
  async connect(purpose: Purpose): Promise<Connection> {
    const { targetSession } = this.#deps.parameters
    const failures: ConnectFailure[] = []
    const passes: readonly TargetSession[] = targetSession === 'prefer-standby' ? ['standby', 'any'] : [targetSession]
    for (const wanted of passes) {
      const found = await this.#tryHosts(purpose, wanted, failures)
      if (found !== undefined) return found
      if (failures.at(-1)?.remedy === 'none') break
    }
    throw this.#told(failures)
  }

  /** Connects to one address, whatever kind of server it is. */
  async connectTo(at: Address, purpose: Purpose, timeoutMs: number): Promise<Connection> {
    return this.#prepared(at, { purpose, timeoutMs, wanted: undefined })
  }

  async #tryHosts(
    purpose: Purpose,
    wanted: TargetSession,
    failures: ConnectFailure[],
  ): Promise<Connection | undefined> {
    const { hosts, isBalanced } = this.#deps.parameters
    for (const host of isBalanced ? shuffled(hosts) : hosts) {
      for (const at of await this.#addresses(host, failures)) {
        const connection = await this.#tryAddress(at, { purpose, wanted }, failures)
        if (connection !== undefined) return connection
        if (failures.at(-1)?.remedy === 'none') return undefined
      }
    }
    return undefined
  }

  async #addresses(host: Host, failures: ConnectFailure[]): Promise<readonly Address[]> {
    try {
      const addresses = await addressesOf(host)
      return this.#deps.parameters.isBalanced ? shuffled(addresses) : addresses
    } catch (error) {
      failures.push(asFailure(error))
      return []
    }
  }

  async #tryAddress(
    at: Address,
    { purpose, wanted }: { readonly purpose: Purpose; readonly wanted: TargetSession },
    failures: ConnectFailure[],
  ): Promise<Connection | undefined> {
    const { parameters, patienceMs } = this.#deps
    try {
      return await this.#prepared(at, { purpose, timeoutMs: parameters.connectTimeoutMs ?? patienceMs, wanted })
    } catch (error) {
      failures.push(asFailure(error))
      return undefined
    }
  }

  async #prepared(at: Address, { purpose, timeoutMs, wanted }: Wish): Promise<Connection> {
    const { parameters, clock } = this.#deps
    const startedAt = clock.now()
    const session = await reach(at, {
      parameters,
      session: {
        ...parameters.session,
        application_name: parameters.applicationName ?? `myelin ${purpose.name}`,
      },
      timeoutMs,
      clock,
      onWarning: (sentence) => this.#warn(sentence),
    })
    // What follows is asked in queries, within what is left of the time.
    const stop = clock.after(Math.max(1, timeoutMs - (clock.now() - startedAt)), () =>
      session.socket.destroy(new Error('timeout expired')),
    )
    try {
      const connection = await handOver(session, { isPipelined: purpose.isPipelined === true })
      if (wanted !== undefined) await isWanted(connection, session.status, wanted)
      await connection.client.query(this.#settings())
      return connection
    } catch (error) {
      session.socket.destroy()
      throw error
    } finally {
      stop()
    }
  }

  #settings(): string {
    const { statementTimeoutMs, isCommitSynchronous } = this.#deps
    const off = isCommitSynchronous ? '' : "; SET synchronous_commit = 'off'"
    return `SET statement_timeout = ${Math.trunc(statementTimeoutMs ?? 0)}${off}`
  }

  #warn(sentence: string): void {
    if (this.#warned.has(sentence)) return
    this.#warned.add(sentence)
    this.#deps.log.warn('postgres_warning', { warning: sentence })
  }

  #told(failures: readonly ConnectFailure[]): DatabaseRefused | DatabaseUnavailable {
    const { user, dbname, password } = this.#deps.parameters
    const lines = [...new Set(failures.map(({ message }) => message))].join('\n')
    const advice = adviceFor(lines, { user, dbname })
    const text = withoutSecret(advice === undefined ? lines : `${lines}\n${advice}`, password)
    const cause = failures.at(-1)
    const isFinal = cause?.remedy === 'none' && !isPassing(cause.sqlState)
    return isFinal
      ? new DatabaseRefused(`PostgreSQL cannot be used: ${text}`, { cause })
      : new DatabaseUnavailable(`PostgreSQL does not answer: ${text}`, { cause })
  }
}

/** Too few resources, or a shutdown: it may be otherwise in a moment. */
const isPassing = (sqlState = ''): boolean => sqlState.startsWith('53') || sqlState.startsWith('57')

/** No server has a reason to repeat the password; one that does is not repeated. */
const withoutSecret = (text: string, secret: string | undefined): string =>
  secret === undefined || secret.length < 4 ? text : text.replaceAll(secret, '***')

const asFailure = (error: unknown): ConnectFailure =>
  error instanceof ConnectFailure
    ? error
    : new ConnectFailure(error instanceof Error ? error.message : String(error), {
        remedy: 'next address',
        cause: error,
      })
