import type { Table, TableColumn } from './catalogue.ts'
import type { Key, Range } from './side.ts'

/** The SQL of the two databases where the port needs it different. */
export type Dialect = 'sqlite' | 'postgres'

/** A column's name in SQL. */
export const quoted = (name: string): string => `"${name}"`

/** The key's columns: `"room", "user"`. */
export const keyList = (table: Table): string =>
  table.key.map((place) => quoted(table.columns[place]?.name ?? '')).join(', ')

/** How many arguments one `concat` is given: PostgreSQL takes at most 100. */
const MAX_ARGUMENTS = 80

const concat = (parts: readonly string[]): string => {
  if (parts.length <= MAX_ARGUMENTS) return `concat(${parts.join(', ')})`
  const pieces: string[] = []
  for (let at = 0; at < parts.length; at += MAX_ARGUMENTS) pieces.push(concat(parts.slice(at, at + MAX_ARGUMENTS)))
  return concat(pieces)
}

/**
 * A row as one text, by the same rule in both databases. Texts and bytes have their length before them, so two rows have one text
 * only if they are equal; NULL is empty.
 */
export const canonicalText = (table: Table, dialect: Dialect): string =>
  concat([...table.columns.flatMap((column) => [...canonicalParts(column, dialect), "','"]), "';'"])

function canonicalParts({ name, kind }: TableColumn, dialect: Dialect): string[] {
  const column = quoted(name)
  if (kind === 'text') return [`octet_length(${column})`, "':'", column]
  if (kind === 'bytes') {
    const digits = dialect === 'sqlite' ? `lower(hex(${column}))` : `encode(${column}, 'hex')`
    return [`octet_length(${column})`, "':'", digits]
  }
  return [kind === 'boolean' && dialect === 'postgres' ? `${column}::int` : column]
}

/** A row as a line of PostgreSQL's COPY, made by SQLite. https://www.postgresql.org/docs/18/sql-copy.html#id-1.9.3.55.9.2 */
export const copyLine = (table: Table): string =>
  concat([
    ...table.columns.flatMap((column, index) => (index === 0 ? [copyValue(column)] : ['char(9)', copyValue(column)])),
    'char(10)',
  ])

function copyValue({ name, kind }: TableColumn): string {
  const column = quoted(name)
  // SQLite's hex of NULL is empty.
  if (kind === 'bytes') return `iif(${column} IS NULL, '\\N', '\\\\x' || hex(${column}))`
  if (kind !== 'text') return `coalesce(${column}, '\\N')`
  const escapes = [
    ["'\\'", "'\\\\'"],
    ['char(10)', "'\\n'"],
    ['char(13)', "'\\r'"],
    ['char(9)', "'\\t'"],
  ]
  const escaped = escapes.reduce((text, [from, to]) => `replace(${text}, ${from}, ${to})`, column)
  return `coalesce(${escaped}, '\\N')`
}

/** A column in PostgreSQL as text by which values are compared. */
export const comparedText = ({ name, kind }: TableColumn): string => {
  const column = quoted(name)
  if (kind === 'bytes') return `encode(${column}, 'hex')`
  if (kind === 'boolean') return `${column}::int::text`
  return kind === 'text' ? column : `${column}::text`
}

/** PostgreSQL's name for the type of a column. */
export const POSTGRES_TYPES: Readonly<Record<TableColumn['kind'], string>> = {
  integer: 'bigint',
  small: 'smallint',
  boolean: 'boolean',
  text: 'text',
  bytes: 'bytea',
}

/** A condition on keys, with the values that stand for its placeholders. */
export type KeyCondition = { readonly sql: string; readonly keys: readonly Key[] }

/** The condition that a row lies in the range. `placeholders` gives the list of placeholders for the n-th key. */
export const rangeCondition = (
  table: Table,
  range: Range,
  placeholders: (n: number) => readonly string[],
): KeyCondition => {
  const keys: Key[] = []
  const parts: string[] = []
  const compare = (operator: string, key: Key) => {
    const values = placeholders(keys.length)
    const [left, right] =
      values.length === 1 ? [keyList(table), values[0]] : [`(${keyList(table)})`, `(${values.join(', ')})`]
    parts.push(`${left} ${operator} ${right}`)
    keys.push(key)
  }
  if (range.after !== undefined) compare('>', range.after)
  if (range.upTo !== undefined) compare('<=', range.upTo)
  return { sql: parts.length === 0 ? 'true' : parts.join(' AND '), keys }
}
