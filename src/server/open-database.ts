import type { Config } from '#config/config.ts'
import type { Database } from '#storage/database.ts'
import { connectionParameters } from '#storage/postgres/from-arguments.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { openSqlite } from '#storage/sqlite/open.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import type { Random } from '#util/random.ts'

/** Opens the database that the configuration names. */
export const openDatabase = async (
  config: Config,
  { clock, random, log }: { readonly clock: Clock; readonly random: Random; readonly log?: Logger },
): Promise<Database> => {
  const common = { serverName: config.server.name, randomBytes: random.bytes, clock }
  const { main } = config.database
  if (main.engine === 'sqlite') {
    return openSqlite({
      ...common,
      path: main.path,
      synchronous: main.synchronous === 'full' ? 'FULL' : 'NORMAL',
      ...(log === undefined ? {} : { log }),
    })
  }
  return openPostgres({
    ...common,
    parameters: connectionParameters(main.args, config.environment),
    pool: main.pool,
    statementTimeoutMs: main.statementTimeoutMs,
    isCommitSynchronous: main.isCommitSynchronous,
    maxTransactions: main.maxTransactionsPerConnection,
    allowsUnsafeLocale: main.allowsUnsafeLocale,
    ...(log === undefined ? {} : { log }),
  })
}
