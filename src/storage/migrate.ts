import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Asking } from '#storage/counters/facts.ts'
import { DatabaseRefused } from './database.ts'
import { COMPATIBLE_WITH, SCHEMA_VERSION } from './schema-version.ts'

/** A migration: its number, its file name and its statements in portable DDL. */
export type Migration = {
  readonly version: number
  readonly name: string
  readonly statements: readonly Ddl[]
  readonly checksum: string
}
/** One statement. `keyed`: the table is stored in the order of its primary key. */
export type Ddl = { readonly text: string; readonly keyed: boolean }

/** What a database says of its schema. `kind` tells an empty database from ours, from a Synapse database and from any other. */
export type SchemaState =
  | { readonly kind: 'empty' }
  /** `version`: of Synapse's schema, where it says so. */
  | { readonly kind: 'synapse'; readonly version: number | undefined }
  /** Some of its tables. */
  | { readonly kind: 'foreign'; readonly tables: readonly string[] }
  | {
      readonly kind: 'ours'
      readonly version: number
      /** The oldest schema version whose code may open this database. */
      readonly compatibleWith: number
      /** What is missing, where the making of the database, or its restoring, was begun and did not end. */
      readonly missing: readonly string[]
      /** A port into it was begun and did not end. */
      readonly isPortUnfinished: boolean
    }

const FOLDER = new URL('./migrations/', import.meta.url)

/** All migrations, oldest first, as they stand in `migrations/`. */
export const readMigrations = (): Migration[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => {
      const text = readFileSync(new URL(name, FOLDER), 'utf8')
      return { version: Number.parseInt(name, 10), name, statements: splitDdl(text), checksum: hash('sha256', text) }
    })

/** Splits a file into statements, without its comments. */
export const splitDdl = (text: string): Ddl[] =>
  text
    .replaceAll(/;[ \t]*-- keyed$/gm, '/*keyed*/;')
    .replaceAll(/--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
    .map((statement) => ({ text: statement.replace('/*keyed*/', ''), keyed: statement.includes('/*keyed*/') }))

/** The tables of a database of that version. */
const tablesOf = (version: number): readonly string[] =>
  readMigrations()
    .filter((migration) => migration.version <= version)
    .flatMap(({ statements }) => statements.map(({ text }) => /^CREATE TABLE (\w+)/.exec(text)?.[1] ?? ''))
    .filter((name) => name !== '')

/** Tells from its tables what a database is, asking what else must be known. */
export function* judgeTables(tables: ReadonlySet<string>): Asking<SchemaState> {
  if (tables.size === 0) return { kind: 'empty' }
  if (tables.has('applied_schema_deltas') && tables.has('schema_version')) {
    const [row] = yield 'SELECT version FROM schema_version'
    return { kind: 'synapse', version: row === undefined ? undefined : Number(row['version']) }
  }
  if (tables.has('myelin_schema')) {
    const [row] = yield 'SELECT version, compatible_with, half_made FROM myelin_schema'
    if (row === undefined)
      return { kind: 'ours', version: 0, compatibleWith: 0, missing: ['its version'], isPortUnfinished: false }
    const version = Number(row['version'])
    const isHalfMade = row['half_made'] === true || row['half_made'] === 1
    const missing = tablesOf(version).filter((name) => !tables.has(name))
    return {
      kind: 'ours',
      version,
      compatibleWith: Number(row['compatible_with']),
      isPortUnfinished: tables.has(PORT_TABLE),
      missing: isHalfMade && missing.length === 0 ? ['the end of a migration'] : missing.map((name) => `table ${name}`),
    }
  }
  // What a restored dump begins with, or lost.
  if (tables.has('deployment') && tables.has('numbers'))
    return { kind: 'ours', version: 0, compatibleWith: 0, missing: ['table myelin_schema'], isPortUnfinished: false }
  return { kind: 'foreign', tables: [...tables].sort().slice(0, 3) }
}

const OWN_DATABASE =
  'Give Myelin an empty database of its own under `database` in the configuration: another file for SQLite; for PostgreSQL, ' +
  'createdb --encoding=UTF8 --locale=C --template=template0 --owner=OWNER NAME.'

/**
 * The migrations that bring a database of this state up to date; throws `DatabaseRefused` where it cannot or must not be opened.
 * `forPort`: it is opened to go on with a port into it.
 */
export const pendingMigrations = (
  state: SchemaState,
  migrations: readonly Migration[],
  { forPort = false }: { readonly forPort?: boolean } = {},
): readonly Migration[] => {
  if (state.kind === 'empty') return migrations
  if (state.kind === 'synapse') {
    const version = state.version === undefined ? '' : ` (its schema version is ${state.version})`
    throw new DatabaseRefused(
      `This is a database of Synapse${version}. Myelin does not work in it, and left it as it is. ${OWN_DATABASE} ` +
        'To bring over what a Synapse server has is not possible yet.',
    )
  }
  if (state.kind === 'foreign') {
    throw new DatabaseRefused(
      `This database belongs to another program: it has tables that are not of Myelin, such as ${state.tables.join(', ')}. ${OWN_DATABASE}`,
    )
  }
  if (state.compatibleWith > SCHEMA_VERSION) {
    throw new DatabaseRefused(
      `The database has version ${state.version}, which this Myelin (version ${SCHEMA_VERSION}) is too old to open. Start a newer Myelin.`,
    )
  }
  if (state.isPortUnfinished && !forPort) {
    throw new DatabaseRefused(
      'A port into this database was begun and did not finish. Run synapse_port_db again with the same arguments until it says that it is done, then start the server.',
    )
  }
  if (state.missing.length > 0) {
    throw new DatabaseRefused(
      `The database is half made: it lacks ${listOf(state.missing)}. Something broke off while it was made or restored. Restore it whole from a backup, or make it anew if it was empty.`,
    )
  }
  return migrations.filter(({ version }) => version > state.version)
}

const listOf = (missing: readonly string[]): string =>
  missing.length <= 3 ? missing.join(', ') : `${missing.slice(0, 3).join(', ')} and ${missing.length - 3} more`

/** The table that is there while a port into the database is unfinished. */
export const PORT_TABLE = 'myelin_port'

/** What a migrated database says of itself. */
export const schemaRow = { version: SCHEMA_VERSION, compatibleWith: COMPATIBLE_WITH } as const
