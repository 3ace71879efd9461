import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
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
  | { readonly kind: 'synapse' }
  | { readonly kind: 'foreign' }
  | {
      readonly kind: 'ours'
      readonly version: number
      /** The oldest schema version whose code may open this database. */
      readonly compatibleWith: number
      /** A migration was begun and did not end. */
      readonly halfMade: boolean
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
    throw new DatabaseRefused(
      'This is a database of Synapse. Myelin does not open it in place; give Myelin a database of its own.',
    )
  }
  if (state.kind === 'foreign') {
    throw new DatabaseRefused(
      'This database has tables that are not of Myelin. Give Myelin an empty database of its own.',
    )
  }
  if (state.halfMade) {
    throw new DatabaseRefused(
      `The database was left half made while it was brought to version ${state.version}. Restore it from a backup, or make it anew if it was empty.`,
    )
  }
  if (state.isPortUnfinished && !forPort) {
    throw new DatabaseRefused(
      'A port into this database was begun and did not finish. Run synapse_port_db again with the same arguments until it says that it is done, then start the server.',
    )
  }
  if (state.compatibleWith > SCHEMA_VERSION) {
    throw new DatabaseRefused(
      `The database has version ${state.version}, which this Myelin (version ${SCHEMA_VERSION}) is too old to open. Start a newer Myelin.`,
    )
  }
  return migrations.filter(({ version }) => version > state.version)
}

/** The table that is there while a port into the database is unfinished. */
export const PORT_TABLE = 'myelin_port'

/** What a migrated database says of itself. */
export const schemaRow = { version: SCHEMA_VERSION, compatibleWith: COMPATIBLE_WITH } as const
