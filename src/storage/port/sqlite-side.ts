import { hash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Table } from './catalogue.ts'
import { convertRow, type Stored, textOf } from './convert.ts'
import { canonicalText, copyLine, keyList, quoted, rangeCondition } from './expressions.ts'
import type { Digest, Key, Range, ReadRow, Refused, Row, Source, Target } from './side.ts'

const PAGE_ROWS = 1_000
/** How far a boundary is moved on until its key is a text that PostgreSQL can be asked for. */
const MAX_ODD_KEYS = 100

/** A SQLite file that is read. What is costly is done by SQLite itself: a whole range comes as one block of bytes. */
export class SqliteReader {
  readonly db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.db = db
  }

  prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.db.prepare(sql)
    statement.setReturnArrays(true)
    statement.setReadBigInts(true)
    this.#statements.set(sql, statement)
    return statement
  }

  count(table: Table): number {
    return Number(this.#get(`SELECT count(*) FROM ${quoted(table.name)}`, [])?.[0])
  }

  boundary(table: Table, after: Key | undefined, n: number): Key | undefined {
    const { sql, values } = inRange(table, { after })
    for (let more = 0; more < MAX_ODD_KEYS; more++) {
      const select = table.key.map((place) => selected(table, place)).join(', ')
      const text = `SELECT ${select} FROM ${quoted(table.name)} WHERE ${sql} ORDER BY ${keyList(table)} LIMIT 1 OFFSET ?`
      const found = this.#get(text, [...values, n - 1 + more])
      if (found === undefined) return undefined
      const key = plainKey(table, found)
      if (key !== undefined) return key
    }
    return undefined
  }

  digest(table: Table, range: Range): Digest {
    const { sql, values } = inRange(table, range)
    const found = this.#get(
      `SELECT count(*), CAST(coalesce(group_concat(c, ''), '') AS BLOB) FROM (
         SELECT ${canonicalText(table, 'sqlite')} AS c FROM ${quoted(table.name)} WHERE ${sql} ORDER BY ${keyList(table)})`,
      values,
    )
    const bytes = found?.[1] as Uint8Array
    return { rows: Number(found?.[0]), bytes: bytes.byteLength, sum: hash('md5', bytes) }
  }

  copyText(table: Table, range: Range): Uint8Array {
    const { sql, values } = inRange(table, range)
    const found = this.#get(
      `SELECT CAST(coalesce(group_concat(c, ''), '') AS BLOB) FROM (
         SELECT ${copyLine(table)} AS c FROM ${quoted(table.name)} WHERE ${sql} ORDER BY ${keyList(table)})`,
      values,
    )
    return found?.[0] as Uint8Array
  }

  *pages(table: Table, range: Range): Generator<ReadRow[]> {
    const { sql, values } = inRange(table, range)
    // Not from the cache: a statement that is being walked through must not be begun anew.
    const statement = this.db.prepare(`${selectRows(table)} WHERE ${sql} ORDER BY ${keyList(table)}`)
    statement.setReturnArrays(true)
    statement.setReadBigInts(true)
    let page: ReadRow[] = []
    for (const row of statement.iterate(...(values as string[]))) {
      page.push(convertRow(table, row as unknown as Stored[]))
      if (page.length < PAGE_ROWS) continue
      yield page
      page = []
    }
    if (page.length > 0) yield page
  }

  find(table: Table, key: Key): ReadRow | undefined {
    const where = table.key.map((place) => `${quoted(table.columns[place]?.name ?? '')} = ?`).join(' AND ')
    const found = this.#get(`${selectRows(table)} WHERE ${where}`, bound(table, key))
    return found === undefined ? undefined : convertRow(table, found)
  }

  #get(sql: string, values: readonly Stored[]): Stored[] | undefined {
    return this.prepare(sql).get(...(values as string[])) as unknown as Stored[] | undefined
  }
}

const selected = (table: Table, place: number): string => {
  const { name = '', kind } = table.columns[place] ?? {}
  return kind === 'text' ? `CAST(${quoted(name)} AS BLOB)` : quoted(name)
}

const selectRows = (table: Table): string =>
  `SELECT ${table.columns.map((_, place) => selected(table, place)).join(', ')} FROM ${quoted(table.name)}`

function inRange(table: Table, range: Range): { readonly sql: string; readonly values: Stored[] } {
  const { sql, keys } = rangeCondition(table, range, () => table.key.map(() => '?'))
  return { sql, values: keys.flatMap((key) => bound(table, key)) }
}

const bound = (table: Table, key: Key): Stored[] =>
  table.key.map((place, index) => binding(table.columns[place]?.kind, key[index] ?? null))

function binding(kind: string | undefined, value: string | null): Stored {
  if (value === null || kind === 'text') return value
  return kind === 'bytes' ? Buffer.from(value, 'hex') : BigInt(value)
}

/** The key, unless it has a text that no other database could compare with. */
function plainKey(table: Table, found: readonly Stored[]): Key | undefined {
  const key: string[] = []
  for (const [index, part] of found.entries()) {
    const isText = table.columns[table.key[index] ?? 0]?.kind === 'text'
    if (!(part instanceof Uint8Array)) key.push(String(part))
    else if (!isText) key.push(Buffer.from(part).toString('hex'))
    else {
      const { text, isMended } = textOf(part)
      if (isMended) return undefined
      key.push(text)
    }
  }
  return key
}

/** A SQLite file as the source of a port. */
export const sqliteSource = (db: DatabaseSync): Source => {
  const reader = new SqliteReader(db)
  return { ...readingSide(reader), copyText: (table, range) => reader.copyText(table, range) }
}

const readingSide = (reader: SqliteReader) => ({
  count: async (table: Table) => reader.count(table),
  isEmpty: async (table: Table) => reader.db.prepare(`SELECT 1 FROM ${quoted(table.name)} LIMIT 1`).get() === undefined,
  boundary: async (table: Table, after: Key | undefined, n: number) => reader.boundary(table, after, n),
  digest: async (table: Table, range: Range) => reader.digest(table, range),
  async *pages(table: Table, range: Range) {
    yield* reader.pages(table, range)
  },
  find: async (table: Table, key: Key) => reader.find(table, key),
  [Symbol.asyncDispose]: async () => reader.db.close(),
})

/** A SQLite file as the target of a port: read by one connection, written by another. `indexes`: those to be there at the end. */
export const sqliteTarget = (db: DatabaseSync, writer: DatabaseSync, indexes: readonly IndexDefinition[]): Target => {
  const reader = new SqliteReader(db)
  const putters = new Map<string, StatementSync>()
  const own = (table: Table) => indexes.filter((index) => index.table === table.name)
  const inTransaction = (work: () => void) => {
    writer.exec('BEGIN IMMEDIATE')
    try {
      work()
      writer.exec('COMMIT')
    } catch (error) {
      if (writer.isTransaction) writer.exec('ROLLBACK')
      throw error
    }
  }
  const putter = (table: Table): StatementSync => {
    const known = putters.get(table.name) ?? writer.prepare(upsert(table))
    putters.set(table.name, known)
    return known
  }
  return {
    ...readingSide(reader),
    load: undefined,
    put: async (table, rows) => {
      const refused: Refused[] = []
      inTransaction(() => {
        for (const row of rows) {
          try {
            putter(table).run(...(stored(table, row) as string[]))
          } catch (error) {
            if (!isConstraint(error)) throw error
            refused.push({ row, reason: error.message })
          }
        }
      })
      return refused
    },
    remove: async (table, keys) => {
      const where = table.key.map((place) => `${quoted(table.columns[place]?.name ?? '')} = ?`).join(' AND ')
      const statement = writer.prepare(`DELETE FROM ${quoted(table.name)} WHERE ${where}`)
      inTransaction(() => {
        for (const key of keys) statement.run(...(bound(table, key) as string[]))
      })
    },
    dropIndexes: async (table) => {
      for (const { name } of own(table)) writer.exec(`DROP INDEX IF EXISTS ${quoted(name)}`)
    },
    makeIndexes: async (table) => {
      const known = writer.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'index' AND name = ?")
      for (const { name, definition } of own(table)) if (known.get(name) === undefined) writer.exec(definition)
    },
    // A server on SQLite never does it, so that its plans are those that were tried.
    analyze: async () => {},
    [Symbol.asyncDispose]: async () => {
      db.close()
      writer.close()
    },
  }
}

/** An index besides a primary key. */
export type IndexDefinition = { readonly table: string; readonly name: string; readonly definition: string }

/** The indexes of a file. */
export const sqliteIndexes = (db: DatabaseSync): IndexDefinition[] =>
  db
    .prepare("SELECT tbl_name, name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY name")
    .all()
    .map((row) => ({ table: String(row['tbl_name']), name: String(row['name']), definition: String(row['sql']) }))

const stored = (table: Table, row: Row): Stored[] =>
  table.columns.map(({ kind }, place) => binding(kind, row[place] ?? null))

function upsert(table: Table): string {
  const names = table.columns.map(({ name }) => quoted(name))
  const others = names.filter((_, place) => !table.key.includes(place)).map((name) => `${name} = excluded.${name}`)
  const action = others.length === 0 ? 'NOTHING' : `UPDATE SET ${others.join(', ')}`
  const values = names.map(() => '?').join(', ')
  return `INSERT INTO ${quoted(table.name)} (${names.join(', ')}) VALUES (${values}) ON CONFLICT (${keyList(table)}) DO ${action}`
}

const isConstraint = (error: unknown): error is Error =>
  error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' && (error.errcode & 0xff) === 19
