import type { Table } from './catalogue.ts'

/** A value as it is compared: a number in decimal digits, yes and no as 1 and 0, bytes in hexadecimal digits, a text as it is. */
export type Value = string | null
/** The values of a row, in the order of the table's columns. */
export type Row = readonly Value[]
/** The values of a primary key, in its order. */
export type Key = readonly string[]

/** Rows of a table by their keys: above `after`, up to and with `upTo`; no bound where one is left out. */
export type Range = { readonly after?: Key | undefined; readonly upTo?: Key | undefined }

/** What the rows of a range amount to: equal digests, equal rows. */
export type Digest = { readonly rows: number; readonly bytes: number; readonly sum: string }

/** What is wrong with a value. `changed`: it is carried over in the nearest form; `impossible`: its row cannot be carried over. */
export type Oddity = {
  readonly table: string
  readonly key: string
  readonly column: string
  readonly kind: 'changed' | 'impossible'
  readonly reason: string
}

/** A row that was read, and what was odd about it. `isMoved`: its key is another one than in the source, so it may lie elsewhere. */
export type ReadRow = {
  readonly values: Row
  readonly oddities: readonly Oddity[]
  readonly isMoved: boolean
}

/** One of the two databases. */
export type Side = AsyncDisposable & {
  readonly count: (table: Table) => Promise<number>
  readonly isEmpty: (table: Table) => Promise<boolean>
  /** The key of the n-th row above `after`, or `undefined` if there are fewer. */
  readonly boundary: (table: Table, after: Key | undefined, n: number) => Promise<Key | undefined>
  readonly digest: (table: Table, range: Range) => Promise<Digest>
  /** The rows of a range, a page at a time. */
  readonly pages: (table: Table, range: Range) => AsyncIterable<ReadRow[]>
  readonly find: (table: Table, key: Key) => Promise<ReadRow | undefined>
}

/** The database that is copied from. `copyText`: the rows of a range as PostgreSQL's COPY takes them, where that is quick to make. */
export type Source = Side & { readonly copyText: ((table: Table, range: Range) => Uint8Array) | undefined }

/** The database that is copied into. */
export type Target = Side & {
  /** Adds rows, or changes those of the same key. Gives back those that the database would not have, and why. */
  readonly put: (table: Table, rows: readonly Row[]) => Promise<readonly Refused[]>
  readonly remove: (table: Table, keys: readonly Key[]) => Promise<void>
  /** Adds rows that are not there, from the source's `copyText`; false where the database would not have one of them, and then it has none. */
  readonly load: ((table: Table, chunks: Iterable<Uint8Array>) => Promise<boolean>) | undefined
  readonly dropIndexes: (table: Table) => Promise<void>
  readonly makeIndexes: (table: Table) => Promise<void>
  /** Brings the planner's statistics up to date. */
  readonly analyze: (table: Table) => Promise<void>
}
/** A row that the target would not have. */
export type Refused = { readonly row: Row; readonly reason: string }

/** The key of a row. */
export const keyOf = (table: Table, row: Row): Key => table.key.map((place) => row[place] ?? '')

/** A key for people to read. */
export const printKey = (table: Table, key: Key): string =>
  table.key.map((place, index) => `${table.columns[place]?.name}=${printValue(key[index] ?? '')}`).join(', ')

const printValue = (value: string): string =>
  /^[\w.@!#$:+=/-]{1,200}$/.test(value) ? value : JSON.stringify(value.slice(0, 200))
