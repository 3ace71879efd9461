import { resolve } from 'node:path'
import { flag, jsonObject, oneOf, path, whole } from '#config/kinds.ts'
import type { Values } from '#config/option.ts'
import { list, mapOf, object, option, orNone } from '#config/option.ts'
import type { Context } from '#config/section.ts'
import { section } from '#config/section.ts'
import { didYouMean } from '#config/sentence.ts'
import type { JsonObject } from '#util/json.ts'
import { judgeName } from '#util/libpq/gather.ts'
import { keywordOf, keywords } from '#util/libpq/keywords.ts'

/** Where everything is kept. */
export type Database = SqliteDatabase | PostgresDatabase
/** One file on this machine; `path` is absolute, or `:memory:`. */
export type SqliteDatabase = {
  readonly engine: 'sqlite'
  readonly path: string
  /** `full`: what was answered survives a power cut. `normal`: the last moment may be lost, nothing is damaged. */
  readonly synchronous: 'full' | 'normal'
}
/** A PostgreSQL server. */
export type PostgresDatabase = {
  readonly engine: 'postgres'
  /** Connection parameters by their libpq names (`database` and `dbname` both occur; `dsn` may hold several). */
  readonly args: Readonly<Record<string, string>>
  readonly pool: { readonly min: number; readonly max: number }
  readonly allowsUnsafeLocale: boolean
  readonly isCommitSynchronous: boolean
  /** `undefined`: statements may take as long as they like. */
  readonly statementTimeoutMs: number | undefined
  /** Transactions after which a connection is made anew; 0 for never. */
  readonly maxTransactionsPerConnection: number
}
/** The database in use, and under `split` all of them where the file has Synapse's `databases`. */
export type DatabaseSettings = {
  readonly main: Database
  readonly split: readonly { readonly label: string; readonly stores: readonly Store[]; readonly database: Database }[]
}
type Store = 'main' | 'state'

const fields = {
  name: option('name', oneOf(['sqlite3', 'psycopg2', 'psycopg']), {
    default: 'sqlite3',
    doc: '`sqlite3` for a file on this machine, `psycopg2` (or `psycopg`) for PostgreSQL 14 or later.',
  }),
  args: option('args', jsonObject(), {
    default: {},
    doc: 'For `sqlite3`: `database`, the file. For `psycopg2`: any connection parameter of libpq (`user`, `password`, `dbname` or `database`, `host`, `port`, `sslmode`, `keepalives_idle` …; [all of them](postgres-keywords.md)), and `cp_min` (5) and `cp_max` (10), the number of connections kept and allowed.',
  }),
  allowsUnsafeLocale: option('allow_unsafe_locale', flag(), {
    default: false,
    doc: 'PostgreSQL: start even though the database was not made with `--locale=C`. An update of the operating system may then damage its indexes.',
  }),
  isCommitSynchronous: option('synchronous_commit', flag(), {
    default: true,
    doc: 'PostgreSQL: wait for the disk before anything is acknowledged.',
  }),
  statementTimeoutMs: option('statement_timeout', orNone(whole({ min: 0 })), {
    default: 600_000,
    doc: 'PostgreSQL: milliseconds that one statement may take.',
  }),
  maxTransactionsPerConnection: option('txn_limit', whole({ min: 0 }), {
    default: 0,
    doc: 'PostgreSQL: transactions after which a connection is made anew, to return memory to the server; 0 for never.',
  }),
  synchronous: option('synchronous', oneOf(['full', 'normal']), {
    default: 'full',
    isOurs: true,
    doc: 'SQLite: `full` loses nothing that was acknowledged, even when the power fails. `normal` is faster on slow disks, and may lose the last moments then.',
  }),
}
const splitFields = {
  ...fields,
  stores: option('data_stores', list(oneOf(['main', 'state']), 'a list of `main` and `state`'), {
    required: true,
    doc: 'What is kept there.',
  }),
}
type Written = Values<typeof fields>
type Path = readonly PropertyKey[]

/** Where everything is kept. */
export const database = section(
  {
    title: 'Database',
    doc: 'Where everything is kept: one file of SQLite, or PostgreSQL. The YAML is that of Synapse.',
  },
  {
    one: option('database', object(fields), { doc: 'The database.' }),
    split: option('databases', mapOf(object(splitFields), 'databases by a label of your choice'), {
      doc: 'Several entries, as Synapse can be configured. All must be the same database: Myelin keeps everything in one.',
    }),
    path: option('database_path', path(), {
      doc: 'The file of SQLite, where neither `database` nor `databases` is given.',
    }),
  },
  ({ one, split, path }, context): DatabaseSettings => {
    if (one !== undefined && split !== undefined)
      context.fail(['databases'], 'Expected either database or databases, and got both.')
    if (split !== undefined) return readSplit(split, context)
    if (one !== undefined) {
      if (path !== undefined)
        context.notice(['database_path'], 'Does not apply: database is given as well, and counts.')
      return { main: readDatabase(one, ['database'], context), split: [] }
    }
    if (path === undefined)
      context.fail(
        ['database'],
        'No database is configured. For SQLite, give the name sqlite3 and a file as args.database.',
      )
    return { main: { engine: 'sqlite', path: path ?? ':memory:', synchronous: 'full' }, split: [] }
  },
)

function readSplit(split: Readonly<Record<string, Values<typeof splitFields>>>, context: Context): DatabaseSettings {
  const all = Object.entries(split).map(([label, written]) => ({
    label,
    stores: written.stores,
    database: readDatabase(written, ['databases', label], context),
  }))
  const holding = (store: Store) => all.filter(({ stores }) => stores.includes(store))
  for (const store of ['main', 'state'] as const)
    if (holding(store).length !== 1)
      context.fail(['databases'], `Expected ${store} in exactly one database, and got it in ${holding(store).length}.`)
  if (new Set(all.map(({ database: one }) => placeOf(one))).size > 1)
    context.fail(
      ['databases'],
      'These are different databases. Myelin keeps everything in one; bring a split server over with the port from Synapse, and give one database.',
    )
  const main = holding('main')[0]?.database ?? { engine: 'sqlite', path: ':memory:', synchronous: 'full' }
  return { main, split: all }
}

const readDatabase = (written: Written, path: Path, context: Context): Database =>
  written.name === 'sqlite3' ? readSqlite(written, path, context) : readPostgres(written, path, context)

function readSqlite(written: Written, path: Path, context: Context): SqliteDatabase {
  const file = written.args['database']
  if (typeof file !== 'string' || file === '')
    context.fail([...path, 'args', 'database'], 'Expected the path of a file that SQLite keeps the database in.')
  for (const key of Object.keys(written.args))
    if (key !== 'database') context.notice([...path, 'args', key], 'Does not apply: SQLite is set up by Myelin itself.')
  const absolute = file === ':memory:' ? file : resolve(context.workingDirectory, String(file))
  return { engine: 'sqlite', path: absolute, synchronous: written.synchronous }
}

/** What tells one database from another; who connects, and how, does not. */
const placeOf = (one: Database): string =>
  one.engine === 'sqlite'
    ? one.path
    : JSON.stringify(['host', 'hostaddr', 'port', 'service', 'servicefile', 'dsn'].map((key) => one.args[key] ?? '')) +
      (one.args['dbname'] ?? one.args['database'] ?? one.args['user'] ?? '')

/** The settings of Twisted's pool that say nothing here, and why. */
const POOL_OF_TWISTED: Readonly<Record<string, string>> = {
  cp_reconnect: 'a lost connection is always made anew.',
  cp_noisy: 'what the pool does is in the log by its level.',
  cp_name: 'there is one pool.',
  cp_openfun: 'it is a function of Python.',
  cp_good_sql: 'a connection is tried by the heartbeat.',
}

function readPostgres(written: Written, path: Path, context: Context): PostgresDatabase {
  const args: Record<string, string> = {}
  for (const [key, value] of Object.entries(written.args)) {
    const at = [...path, 'args', key]
    if (key.startsWith('cp_')) judgePoolKey(key, at, context)
    else if (typeof value === 'object' && value !== null)
      context.fail(at, 'Expected one text, number or boolean for a connection parameter.')
    else if (value !== null) {
      const text = typeof value === 'boolean' ? String(Number(value)) : String(value)
      judgeParameter(key, text, at, context)
      args[key] = text
    }
  }
  return {
    engine: 'postgres',
    args,
    pool: readPool(written.args, path, context),
    allowsUnsafeLocale: written.allowsUnsafeLocale,
    isCommitSynchronous: written.isCommitSynchronous,
    statementTimeoutMs: written.statementTimeoutMs === 0 ? undefined : written.statementTimeoutMs,
    maxTransactionsPerConnection: written.maxTransactionsPerConnection,
  }
}

function judgeParameter(key: string, value: string, path: Path, context: Context): void {
  const unknown = judgeName(key)
  if (unknown !== undefined) {
    context.fail(path, `${unknown}${didYouMean(key, ['database', ...keywords.map(({ name }) => name)])}`)
    return
  }
  const keyword = keywordOf(key === 'database' ? 'dbname' : key)
  const sentence = value === '' ? undefined : keyword?.judge(value)
  if (sentence !== undefined) context.fail(path, sentence)
  else if (keyword?.standing === 'does not apply') context.notice(path, `Does not apply: ${keyword.doc}`)
}

function judgePoolKey(key: string, path: Path, context: Context): void {
  if (key === 'cp_min' || key === 'cp_max') return
  const reason = POOL_OF_TWISTED[key]
  if (reason !== undefined) context.notice(path, `Does not apply: ${reason}`)
  else
    context.fail(
      path,
      `There is no such option.${didYouMean(key, ['cp_min', 'cp_max', ...Object.keys(POOL_OF_TWISTED)])}`,
    )
}

function readPool(args: JsonObject, path: Path, context: Context): PostgresDatabase['pool'] {
  const count = (key: string, otherwise: number): number => {
    const value = args[key] ?? otherwise
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1) return value
    context.fail([...path, 'args', key], 'Expected a number of connections, at least 1.')
    return otherwise
  }
  const max = count('cp_max', Math.max(10, typeof args['cp_min'] === 'number' ? args['cp_min'] : 0))
  const min = count('cp_min', Math.min(5, max))
  if (min > max) context.fail([...path, 'args', 'cp_min'], `Expected at most cp_max, which is ${max}, and got ${min}.`)
  return { min, max }
}
