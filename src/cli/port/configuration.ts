import { CommandFailure } from '#cli/terminal.ts'
import type { Config } from '#config/config.ts'
import { systemFiles } from '#config/files.ts'
import { Findings } from '#config/findings.ts'
import { loadConfig } from '#config/load.ts'
import { formatProblem } from '#config/problem.ts'
import { readSources } from '#config/sources.ts'
import { plain } from '#config/yaml-document.ts'
import type { Json } from '#util/json.ts'

/** The exit codes of Synapse's script, and two of our own. */
export const EXIT = {
  noSqliteFile: 1,
  noDatabaseName: 2,
  notPostgres: 3,
  noDatabase: 4,
  failed: 5,
  /** Source and target are not equal. */
  differs: 6,
  /** Something in the source could not be carried over as it was. */
  odd: 7,
} as const

/** Reads the whole configuration of the server that is to run on PostgreSQL. */
export const readPortConfiguration = (path: string): Config => {
  checkDatabaseSection(path)
  const loaded = loadConfig({ paths: [path] })
  if (!loaded.ok) throw new CommandFailure(loaded.problems.map(formatProblem).join('\n'), EXIT.failed)
  const { main } = loaded.config.database
  if (main.engine !== 'postgres') throw new CommandFailure(notPostgres(path), EXIT.notPostgres)
  return loaded.config
}

const notPostgres = (path: string): string =>
  `The database in ${path} is not PostgreSQL: give it the name psycopg2, and the connection in its args.`

/** What is wrong with `database` has exit codes of its own, which scripts know. */
function checkDatabaseSection(path: string): void {
  const findings = new Findings()
  const { root } = readSources([path], systemFiles, findings)
  const [problem] = findings.problems
  if (problem !== undefined) throw new CommandFailure(formatProblem(problem), EXIT.failed)
  const found = plain(root)
  if (!isObject(found) || found['databases'] !== undefined) return
  const database = found['database']
  if (!isObject(database)) throw new CommandFailure(`There is no database section in ${path}.`, EXIT.noDatabase)
  const { name } = database
  if (name === undefined || name === null) {
    throw new CommandFailure(`The database section in ${path} has no name.`, EXIT.noDatabaseName)
  }
  if (name !== 'psycopg2') throw new CommandFailure(notPostgres(path), EXIT.notPostgres)
}

const isObject = (value: Json | undefined): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
