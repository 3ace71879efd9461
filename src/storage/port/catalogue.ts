import type { DatabaseSync } from 'node:sqlite'
import type pg from 'pg'
import { DatabaseRefused } from '#storage/database.ts'

/** How a column is kept. PostgreSQL's catalogue is the authority: SQLite knows fewer types. */
export type ColumnKind = 'integer' | 'small' | 'boolean' | 'text' | 'bytes'
/** A column of a table. */
export type TableColumn = { readonly name: string; readonly kind: ColumnKind }
/** A table as the port sees it. `key` and `unique` are places in `columns`. */
export type Table = {
  readonly name: string
  readonly columns: readonly TableColumn[]
  /** The primary key, in its order. */
  readonly key: readonly number[]
  /** Columns that stand in a unique index besides the primary key. */
  readonly unique: readonly number[]
}

/** What belongs to a database itself and not to what is kept in it; `numbers` and `deployment` are written at the end (`books.ts`). */
const NOT_COPIED: ReadonlySet<string> = new Set(['myelin_schema', 'myelin_port', 'deployment', 'numbers', 'commits'])

const KINDS: Readonly<Record<string, ColumnKind>> = {
  bigint: 'integer',
  smallint: 'small',
  boolean: 'boolean',
  text: 'text',
  bytea: 'bytes',
}

type ColumnRow = { readonly table: string; readonly name: string; readonly type: string }
type IndexRow = { readonly table: string; readonly is_primary: boolean; readonly columns: (string | null)[] }

/** The tables that are copied, as they stand in PostgreSQL. */
export const readCatalogue = async (client: pg.Client): Promise<Table[]> => {
  const columns = await client.query<ColumnRow>(
    `SELECT c.relname AS table, a.attname AS name, format_type(a.atttypid, NULL) AS type
     FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
     WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::text::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY c.relname, a.attnum`,
  )
  const indexes = await client.query<IndexRow>(
    `SELECT c.relname AS table, i.indisprimary AS is_primary,
       ARRAY(SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY AS k(number, place)
         LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number ORDER BY k.place) AS columns
     FROM pg_class AS c JOIN pg_index AS i ON i.indrelid = c.oid
     WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::text::regnamespace AND i.indisunique`,
  )
  const names = [...new Set(columns.rows.map(({ table }) => table))].filter((name) => !NOT_COPIED.has(name))
  return names.map((name) =>
    makeTable(
      name,
      columns.rows.filter(({ table }) => table === name),
      indexes.rows.filter(({ table }) => table === name),
    ),
  )
}

function makeTable(name: string, rows: readonly ColumnRow[], indexes: readonly IndexRow[]): Table {
  const columns = rows.map((column) => {
    const kind = KINDS[column.type]
    if (kind === undefined) throw new Error(`the port does not know the type ${column.type} of ${name}.${column.name}`)
    return { name: column.name, kind }
  })
  const placeOf = (column: string | null) => columns.findIndex((one) => one.name === column)
  const key = indexes.find(({ is_primary: isPrimary }) => isPrimary)?.columns.map(placeOf) ?? []
  if (key.length === 0) throw new Error(`the table ${name} has no primary key`)
  const others = indexes
    .filter(({ is_primary: isPrimary }) => !isPrimary)
    .flatMap((index) => index.columns.map(placeOf))
  // An index over an expression may depend on any column.
  const unique = others.includes(-1) ? columns.map((_, place) => place) : [...new Set(others)]
  return { name, columns, key, unique }
}

/** Refuses a SQLite file whose tables are not those of the catalogue. */
export const checkTables = (db: DatabaseSync, tables: readonly Table[]): void => {
  const found = new Map<string, Set<string>>()
  const rows = db
    .prepare(
      `SELECT t.name AS "table", c.name AS "column" FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
       WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
    )
    .all()
  for (const row of rows) {
    const table = String(row['table'])
    if (NOT_COPIED.has(table)) continue
    found.set(table, (found.get(table) ?? new Set()).add(String(row['column'])))
  }
  for (const { name, columns } of tables) {
    const own = found.get(name)
    const missing = columns.filter((column) => own?.has(column.name) !== true).map((column) => column.name)
    if (own === undefined || missing.length > 0 || own.size !== columns.length) {
      throw new DatabaseRefused(`The table ${name} is not the same in SQLite and PostgreSQL; nothing was copied.`)
    }
    found.delete(name)
  }
  const [left] = found.keys()
  if (left !== undefined) {
    throw new DatabaseRefused(
      `The SQLite file has a table ${left}, which is not of Myelin. Remove it, then port again.`,
    )
  }
}
