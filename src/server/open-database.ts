import type { Config } from '#config/config.ts'
import type { Database } from '#storage/database.ts'
import type { PostgresPlace } from '#storage/port/connect.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import type { Random } from '#util/random.ts'

/** Opens the database that the configuration names. The driver of the other one is not even loaded. */
export const openDatabase = async (
  config: Config,
  { clock, random, log }: { readonly clock: Clock; readonly random: Random; readonly log?: Logger },
): Promise<Database> => {
  const common = {
    serverName: config.server.name,
    randomBytes: random.bytes,
    clock,
    ...(log === undefined ? {} : { log }),
  }
  const { main } = config.database
  if (main.engine === 'sqlite') {
    const { openSqlite } = await import('#storage/sqlite/open.ts')
    return openSqlite({ ...common, path: main.path, synchronous: main.synchronous === 'full' ? 'FULL' : 'NORMAL' })
  }
  const [{ connectionParameters }, { openPostgres }] = await Promise.all([
    import('#storage/postgres/from-arguments.ts'),
    import('#storage/postgres/open.ts'),
  ])
  return openPostgres({
    ...common,
    parameters: connectionParameters(main.args, config.environment),
    pool: main.pool,
    statementTimeoutMs: main.statementTimeoutMs,
    isCommitSynchronous: main.isCommitSynchronous,
    maxTransactions: main.maxTransactionsPerConnection,
    allowsUnsafeLocale: main.allowsUnsafeLocale,
  })
}

/** How to reach the PostgreSQL server that the configuration names, where that is no server's own business. */
export const postgresPlace = async (config: Config): Promise<PostgresPlace | undefined> => {
  const { main } = config.database
  if (main.engine !== 'postgres') return undefined
  const { connectionParameters } = await import('#storage/postgres/from-arguments.ts')
  return {
    engine: 'postgres',
    parameters: connectionParameters(main.args, config.environment),
    allowsUnsafeLocale: main.allowsUnsafeLocale,
  }
}
