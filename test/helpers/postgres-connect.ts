import { Connector } from '#storage/postgres/connector.ts'
import { connectionParameters } from '#storage/postgres/from-arguments.ts'
import { steadyClock } from '#util/clock.ts'
import { type Logger, silentLogger } from '#util/logger.ts'

/** What a connection turned out to be, or what was said when none could be made. */
export type Tried =
  | {
      readonly ok: true
      readonly user: string
      readonly database: string
      readonly application: string
      readonly port: number
      /** The version of TLS, or `undefined` in the clear. */
      readonly tls: string | undefined
      readonly timeout: string
    }
  | { readonly ok: false; readonly kind: string; readonly message: string }

/** What besides the arguments counts. */
export type Surroundings = {
  readonly environment?: Readonly<Record<string, string>>
  readonly home?: string
  readonly log?: Logger
  readonly patienceMs?: number
}

/** Makes a connector from arguments as they stand under `database.args`, as strings. */
export const connectorFor = (args: Readonly<Record<string, string>>, given: Surroundings = {}): Connector =>
  new Connector({
    parameters: connectionParameters(args, { postgres: given.environment ?? {}, home: given.home ?? '/nonexistent' }),
    statementTimeoutMs: 61_000,
    isCommitSynchronous: true,
    patienceMs: given.patienceMs ?? 10_000,
    clock: steadyClock,
    log: given.log ?? silentLogger,
  })

/** Connects once, looks where it arrived, and ends. */
export const tryConnecting = async (
  args: Readonly<Record<string, string>>,
  given: Surroundings = {},
): Promise<Tried> => {
  try {
    const { client, socket } = await connectorFor(args, given).connect({ name: 'test' })
    const { rows } = await client.query(
      `SELECT current_user AS user, current_database() AS database, current_setting('port')::int AS port,
         (SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl) AS tls,
         current_setting('application_name') AS application, current_setting('statement_timeout') AS timeout`,
    )
    await client.end()
    socket.destroy()
    const { tls, ...found } = rows[0]
    return { ok: true, ...found, tls: tls ?? undefined }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { ok: false, kind: error.name, message: error.message }
  }
}
