import type { Clock } from '#util/clock.ts'
import type { ConnectionParameters } from '#util/libpq/parameters.ts'
import type { Logger } from '#util/logger.ts'
import type { Connection } from './connection.ts'
import { probe, type Verdict } from './probe.ts'
import { type Address, placeOf } from './reach.ts'

/** How long silence is borne. */
export type Bounds = {
  /** A connection that nothing was heard on for so long, and that nobody uses, is asked for a sign of life. */
  readonly idleMs: number
  /** No answer for so long: the server is probed on a fresh connection. */
  readonly silenceMs: number
  /** How long the probe may take. */
  readonly probeMs: number
}

/** The page's example, for what is not configured. */
const USUAL = { idleMs: 10_000, intervalMs: 10_000, count: 3 } as const
const SHORTEST_MS = 200

/** The bounds that the keepalives set: idle + interval * count, or `tcp_user_timeout` where that is shorter. */
export const boundsOf = ({ keepalives, tcpUserTimeoutMs }: ConnectionParameters): Bounds => {
  const idleMs = keepalives.idleMs ?? USUAL.idleMs
  const answerMs = (keepalives.intervalMs ?? USUAL.intervalMs) * (keepalives.count ?? USUAL.count)
  const longest = Math.max(SHORTEST_MS, tcpUserTimeoutMs ?? Number.POSITIVE_INFINITY)
  const silenceMs = Math.min(idleMs + answerMs, longest)
  return { idleMs, silenceMs, probeMs: Math.min(answerMs, silenceMs) }
}

/** A connection under watch. */
export type Watched = {
  readonly connection: Connection
  /** How many answers are awaited on it. */
  readonly awaited: () => number
  /** Nobody uses it: `true` if it was closed for that reason, and needs no sign of life. */
  readonly onIdle: () => boolean
  /** The server lives, but this connection has been silent for so long. It is destroyed already if it is `dead`. */
  readonly onSilent: (verdict: 'dead' | 'busy', silentMs: number) => void
}

type Deps = {
  readonly bounds: Bounds
  readonly clock: Clock
  readonly log: Logger
  readonly connectTo: (at: Address, timeoutMs: number) => Promise<Connection>
  /** A server does not answer at all; its connections are destroyed. */
  readonly onLost: (reason: string) => void
}
type State = {
  readonly watched: Watched
  bytes: number
  heardAt: number
  /** Since when an answer is awaited without a byte. */
  waitingSince: number | undefined
  isPinging: boolean
  isProbing: boolean
  isClosed: boolean
}

/**
 * Notices what the keepalives of TCP cannot see: a server that is frozen, or a path that swallows a query in flight. A query that takes long
 * on a server that lives is left alone.
 */
export class Heartbeat {
  readonly #deps: Deps
  readonly #states = new Set<State>()
  readonly #tickMs: number
  readonly #probes = new Map<string, Promise<ReadonlyMap<number, Verdict> | undefined>>()
  #tickedAt = 0
  #cancel: (() => void) | undefined

  constructor(deps: Deps) {
    this.#deps = deps
    this.#tickMs = Math.min(1000, Math.max(20, deps.bounds.silenceMs / 10))
  }

  /** Watches a connection until it closes. */
  watch(watched: Watched): void {
    const now = this.#deps.clock.now()
    const { socket } = watched.connection
    const state: State = {
      watched,
      bytes: socket.bytesRead,
      heardAt: now,
      waitingSince: undefined,
      isPinging: false,
      isProbing: false,
      isClosed: false,
    }
    this.#states.add(state)
    socket.once('close', () => {
      state.isClosed = true
      this.#states.delete(state)
    })
    if (this.#cancel === undefined) {
      this.#tickedAt = now
      this.#next()
    }
  }

  /** Watches nothing any more. */
  stop(): void {
    this.#states.clear()
    this.#cancel?.()
    this.#cancel = undefined
  }

  #next(): void {
    this.#cancel = this.#deps.clock.after(this.#tickMs, () => this.#tick())
  }

  #tick(): void {
    const now = this.#deps.clock.now()
    // While we ourselves were frozen or busy we could not hear; that time does not count.
    const missed = Math.max(0, now - this.#tickedAt - 2 * this.#tickMs)
    this.#tickedAt = now
    for (const state of this.#states) this.#look(state, now, missed)
    this.#cancel = undefined
    if (this.#states.size > 0) this.#next()
  }

  #look(state: State, now: number, missed: number): void {
    const { bytesRead } = state.watched.connection.socket
    if (bytesRead !== state.bytes) {
      state.bytes = bytesRead
      state.heardAt = now
      state.waitingSince = undefined
    }
    if (state.watched.awaited() > 0 || state.isPinging) {
      state.waitingSince = Math.min(now, (state.waitingSince ?? now) + missed)
      const silentMs = now - state.waitingSince
      if (silentMs >= this.#deps.bounds.silenceMs && !state.isProbing) void this.#suspect(state)
      return
    }
    state.waitingSince = undefined
    if (now - state.heardAt >= this.#deps.bounds.idleMs && !state.watched.onIdle()) this.#ping(state)
  }

  #ping(state: State): void {
    state.isPinging = true
    state.waitingSince = state.heardAt
    const over = () => {
      state.isPinging = false
    }
    // An error is an answer too; a lost connection is heard of as such.
    state.watched.connection.client.query({ name: 'ping', text: 'SELECT 1' }).then(over, over)
  }

  async #suspect(state: State): Promise<void> {
    state.isProbing = true
    const { connection } = state.watched
    const seen = state.bytes
    const verdicts = await this.#probeOnce(connection.at)
    state.isProbing = false
    if (state.isClosed || connection.socket.bytesRead !== seen) return
    const silentMs = this.#deps.clock.now() - (state.waitingSince ?? this.#deps.clock.now())
    const verdict = verdicts === undefined ? 'unreachable' : (verdicts.get(connection.processId) ?? 'dead')
    if (verdict === 'unreachable') {
      this.#lost(connection.at, silentMs)
      return
    }
    this.#deps.log.warn('database_connection_silent', { verdict, processId: connection.processId, silentMs })
    // The next look at it is due after as long again.
    state.waitingSince = verdict === 'busy' ? this.#deps.clock.now() : state.waitingSince
    if (verdict === 'dead') connection.socket.destroy(new Error(`no answer for ${silentMs} ms`))
    state.watched.onSilent(verdict, silentMs)
  }

  /** One probe of a server at a time, whichever connection asks. `undefined`: it does not answer either. */
  #probeOnce(at: Address): Promise<ReadonlyMap<number, Verdict> | undefined> {
    const key = keyOf(at)
    const running = this.#probes.get(key)
    if (running !== undefined) return running
    const ids = [...this.#states].map(({ watched }) => watched.connection.processId)
    const { probeMs } = this.#deps.bounds
    const started = probe(() => this.#deps.connectTo(at, probeMs), { ids, timeoutMs: probeMs, clock: this.#deps.clock })
    this.#probes.set(key, started)
    void started.finally(() => this.#probes.delete(key))
    return started
  }

  #lost(at: Address, silentMs: number): void {
    const { name } = placeOf(at)
    const reason = `PostgreSQL at ${name} has not answered for ${silentMs} ms, nor does it answer a new connection`
    for (const state of [...this.#states]) {
      if (keyOf(state.watched.connection.at) === keyOf(at)) state.watched.connection.socket.destroy(new Error(reason))
    }
    this.#deps.onLost(reason)
  }
}

const keyOf = (at: Address): string => `${placeOf(at).name}\0${at.address}\0${at.host.port}`
