import { resolve } from 'node:path'
import { flag, jsonObject, oneOf, path, whole } from '#config/kinds.ts'
import type { Values } from '#config/option.ts'
import { list, mapOf, object, option, orNone } from '#config/option.ts'
import type { Context } from '#config/section.ts'
import { section } from '#config/section.ts'
import { didYouMean } from '#config/sentence.ts'
import type { JsonObject } from '#util/json.ts'

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
  /** Connection parameters by their libpq names (`database` and `dbname` both occur), as they stand in the file. */
  readonly args: Readonly<Record<string, string | number | boolean>>
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
  name: option('name', oneOf(['sqlite3', 'psycopg2']), {
    default: 'sqlite3',
    doc: '`sqlite3` for a file on this machine, `psycopg2` for PostgreSQL 14 or later.',
  }),
  args: option('args', jsonObject(), {
    default: {},
    doc: 'For `sqlite3`: `database`, the file. For `psycopg2`: any connection parameter of libpq (`user`, `password`, `dbname` or `database`, `host`, `port`, `sslmode`, `keepalives_idle` …), and `cp_min` (5) and `cp_max` (10), the number of connections kept and allowed.',
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
      doc: 'Several databases, as Synapse can be configured. Myelin keeps everything in the one that holds `main`.',
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
  for (const { label, stores } of all)
    if (!stores.includes('main'))
      context.notice(['databases', label], 'Does not apply: Myelin keeps everything in the database that holds main.')
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

const POOL_OF_TWISTED = ['cp_reconnect', 'cp_noisy', 'cp_name', 'cp_openfun', 'cp_good_sql']

function readPostgres(written: Written, path: Path, context: Context): PostgresDatabase {
  const args: Record<string, string | number | boolean> = {}
  for (const [key, value] of Object.entries(written.args)) {
    if (key.startsWith('cp_')) judgePoolKey(key, [...path, 'args', key], context)
    else if (typeof value === 'object' && value !== null)
      context.fail([...path, 'args', key], 'Expected one text, number or boolean for a connection parameter.')
    else if (value !== null) args[key] = value as string | number | boolean
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

function judgePoolKey(key: string, path: Path, context: Context): void {
  if (key === 'cp_min' || key === 'cp_max') return
  if (POOL_OF_TWISTED.includes(key)) {
    context.notice(path, 'Does not apply: it is a setting of the connection pool of Twisted.')
    return
  }
  context.fail(path, `There is no such option.${didYouMean(key, ['cp_min', 'cp_max', ...POOL_OF_TWISTED])}`)
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
