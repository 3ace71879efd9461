import type { Clock } from '#util/clock.ts'
import { ConnectFailure } from './connect-failure.ts'
import type { Connection } from './connection.ts'

/** What the server says of one of our connections on which nothing is heard: it works for us, or it has never heard our question. */
export type Verdict = 'busy' | 'dead'

type Probe = { readonly ids: readonly number[]; readonly timeoutMs: number; readonly clock: Clock }

/** Asks the server on a fresh connection what the others do. `undefined`: it does not answer. */
export const probe = async (
  connect: () => Promise<Connection>,
  { ids, timeoutMs, clock }: Probe,
): Promise<ReadonlyMap<number, Verdict> | undefined> => {
  let connection: Connection | undefined
  let stop: (() => void) | undefined
  try {
    connection = await connect()
    const { client, socket, processId } = connection
    stop = clock.after(timeoutMs, () => socket.destroy(new Error('timeout expired')))
    const { rows } = await client.query(
      'SELECT pid, state, pg_backend_pid() AS own FROM pg_stat_activity WHERE pid = ANY ($1) OR pid = pg_backend_pid()',
      [ids],
    )
    // A pooler in between gives numbers of its own: then all we know is that the server lives.
    const isDirect = rows.some(({ own }) => Number(own) === processId)
    const states = new Map(rows.map(({ pid, state }) => [Number(pid), String(state)]))
    return new Map(ids.map((id) => [id, isDirect ? verdictOf(states.get(id)) : 'busy']))
  } catch (error) {
    // A server with no room for another connection lives, and what it does for the others cannot be asked. Else a server that works answers this.
    return isCrowded(error) ? new Map(ids.map((id) => [id, 'busy'])) : undefined
  } finally {
    stop?.()
    connection?.client.end().catch(() => {})
  }
}

const TOO_MANY_CONNECTIONS = '53300'
const isCrowded = (error: unknown): boolean =>
  error instanceof ConnectFailure && error.sqlState === TOO_MANY_CONNECTIONS

/** A process that is idle, or is not there, while we have waited for its answer for so long, will never answer. */
const verdictOf = (state: string | undefined): Verdict =>
  state === undefined || state.startsWith('idle') ? 'dead' : 'busy'
