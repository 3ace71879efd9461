import type { Config } from '#config/config.ts'
import type { CheckOptions, CheckReport } from '#storage/check/finding.ts'
import { checkPostgres } from '#storage/postgres/check-database.ts'
import { connectionParameters } from '#storage/postgres/from-arguments.ts'
import { checkSqlite } from '#storage/sqlite/check-database.ts'

/** Checks the database that the configuration names, and changes nothing. */
export const checkDatabase = async (
  config: Config,
  options: Omit<CheckOptions, 'serverName'>,
): Promise<CheckReport> => {
  const { main } = config.database
  const given = { ...options, serverName: config.server.name }
  if (main.engine === 'sqlite') return checkSqlite(main.path, given)
  return checkPostgres(connectionParameters(main.args, config.environment), given)
}
