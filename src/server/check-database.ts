import type { Config } from '#config/config.ts'
import type { CheckOptions, CheckReport } from '#storage/check/finding.ts'

/** Checks the database that the configuration names, and changes nothing. */
export const checkDatabase = async (
  config: Config,
  options: Omit<CheckOptions, 'serverName'>,
): Promise<CheckReport> => {
  const { main } = config.database
  const given = { ...options, serverName: config.server.name }
  if (main.engine === 'sqlite') {
    const { checkSqlite } = await import('#storage/sqlite/check-database.ts')
    return checkSqlite(main.path, given)
  }
  const [{ connectionParameters }, { checkPostgres }] = await Promise.all([
    import('#storage/postgres/from-arguments.ts'),
    import('#storage/postgres/check-database.ts'),
  ])
  return checkPostgres(connectionParameters(main.args, config.environment), given)
}
