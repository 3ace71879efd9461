import type { Config } from '#config/config.ts'
import type { PostgresDatabase } from '#config/sections/database.ts'
import type { Database } from '#storage/database.ts'
import type { ConnectionOptions } from '#storage/postgres/connection.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { openSqlite } from '#storage/sqlite/open.ts'
import type { Clock } from '#util/clock.ts'
import type { Random } from '#util/random.ts'

/** Opens the database that the configuration names. */
export const openDatabase = async (
  config: Config,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): Promise<Database> => {
  const common = { serverName: config.server.name, randomBytes: random.bytes, clock }
  const { main } = config.database
  if (main.engine === 'sqlite') {
    return openSqlite({ ...common, path: main.path, synchronous: main.synchronous === 'full' ? 'FULL' : 'NORMAL' })
  }
  return openPostgres({ ...common, connection: postgresConnection(main) })
}

/** How to reach the PostgreSQL server that the configuration names. */
export const postgresConnection = ({ args }: PostgresDatabase): ConnectionOptions => ({
  ...(args['host'] === undefined ? {} : { host: String(args['host']) }),
  ...(args['port'] === undefined ? {} : { port: Number(args['port']) }),
  ...(args['user'] === undefined ? {} : { user: String(args['user']) }),
  ...(args['password'] === undefined ? {} : { password: String(args['password']) }),
  database: String(args['dbname'] ?? args['database'] ?? args['user'] ?? 'postgres'),
})
