import type pg from 'pg'
import { isServerError } from '#storage/postgres/connection.ts'
import type { Table } from './catalogue.ts'
import { CopyIn } from './copy-in.ts'
import { canonicalText, comparedText, keyList, POSTGRES_TYPES, quoted, rangeCondition } from './expressions.ts'
import type { Digest, Key, Range, ReadRow, Refused, Row, Side, Source, Target } from './side.ts'
import { keyOf } from './side.ts'
import type { IndexDefinition } from './sqlite-side.ts'

const PAGE_ROWS = 1_000
/** Rows that one statement writes. */
const WRITE_ROWS = 1_000

type Reading = Omit<Side, typeof Symbol.asyncDispose>

/** Reads by a connection that may be pipelined. */
function readingSide(client: pg.Client): Reading {
  const query = async (text: string, values: readonly unknown[] = []): Promise<(string | null)[][]> => {
    const { rows } = await client.query({ text, values: [...values], rowMode: 'array' })
    return rows
  }
  const page = (table: Table, range: Range, limit: number) => {
    const { sql, values } = inRange(table, range)
    const list = table.columns.map(comparedText).join(', ')
    return query(
      `SELECT ${list} FROM ${quoted(table.name)} AS t WHERE ${sql} ORDER BY ${keyOrder(table)} LIMIT ${limit}`,
      values,
    )
  }
  return {
    count: async (table) => Number((await query(`SELECT count(*)::text FROM ${quoted(table.name)}`))[0]?.[0]),
    isEmpty: async (table) => (await query(`SELECT '' FROM ${quoted(table.name)} LIMIT 1`)).length === 0,
    boundary: async (table, after, n) => {
      const { sql, values } = inRange(table, { after })
      const list = table.key.map((place) => comparedText(table.columns[place] ?? { name: '', kind: 'text' })).join(', ')
      const [found] = await query(
        `SELECT ${list} FROM ${quoted(table.name)} AS t WHERE ${sql} ORDER BY ${keyOrder(table)} LIMIT 1 OFFSET ${n - 1}`,
        values,
      )
      return found as Key | undefined
    },
    digest: async (table, range): Promise<Digest> => {
      const { sql, values } = inRange(table, range)
      const [found] = await query(
        `SELECT count(*)::text, coalesce(sum(octet_length(c)), 0)::text, md5(coalesce(string_agg(c, ''), '')) FROM (
           SELECT ${canonicalText(table, 'postgres')} AS c FROM ${quoted(table.name)} AS t WHERE ${sql} ORDER BY ${keyOrder(table)}) AS r`,
        values,
      )
      return { rows: Number(found?.[0]), bytes: Number(found?.[1]), sum: String(found?.[2]) }
    },
    async *pages(table, range) {
      for (let after = range.after; ; ) {
        const rows = await page(table, { ...range, after }, PAGE_ROWS)
        if (rows.length > 0) yield rows.map(plainRow)
        if (rows.length < PAGE_ROWS) return
        after = keyOf(table, rows.at(-1) ?? [])
      }
    },
    find: async (table, key) => {
      const where = table.key.map(
        (place, index) => `${quoted(table.columns[place]?.name ?? '')} = ${parameter(table, place, index + 1)}`,
      )
      const list = table.columns.map(comparedText).join(', ')
      const [found] = await query(
        `SELECT ${list} FROM ${quoted(table.name)} WHERE ${where.join(' AND ')}`,
        bound(table, key),
      )
      return found === undefined ? undefined : plainRow(found)
    },
  }
}

/** With the table's name: a bare one would mean the column of the result, which is text. */
const keyOrder = (table: Table): string =>
  table.key.map((place) => `t.${quoted(table.columns[place]?.name ?? '')}`).join(', ')

const plainRow = (values: Row): ReadRow => ({ values, oddities: [], isMoved: false })

const parameter = (table: Table, place: number, n: number): string => {
  const { kind = 'text' } = table.columns[place] ?? {}
  return `$${n}::${POSTGRES_TYPES[kind]}`
}

function inRange(table: Table, range: Range): { readonly sql: string; readonly values: string[] } {
  const size = table.key.length
  const { sql, keys } = rangeCondition(table, range, (n) =>
    table.key.map((place, index) => parameter(table, place, n * size + index + 1)),
  )
  return { sql, values: keys.flatMap((key) => bound(table, key)) }
}

const bound = (table: Table, key: Key): string[] =>
  table.key.map((place, index) => written(table.columns[place]?.kind, key[index] ?? '') ?? '')

const written = (kind: string | undefined, value: string | null): string | null =>
  kind === 'bytes' && value !== null ? `\\x${value}` : value

/** A PostgreSQL database as the source of a port. The connection is inside a transaction that sees one state. */
export const postgresSource = (client: pg.Client): Source => ({
  ...readingSide(client),
  copyText: undefined,
  [Symbol.asyncDispose]: () => client.end(),
})

/** A PostgreSQL database as the target of a port: read by a pipelined connection, written by another. */
export const postgresTarget = (reader: pg.Client, writer: pg.Client, indexes: readonly IndexDefinition[]): Target => {
  const own = (table: Table) => indexes.filter((index) => index.table === table.name)
  return {
    ...readingSide(reader),
    put: async (table, rows) => {
      const refused: Refused[] = []
      for (let at = 0; at < rows.length; at += WRITE_ROWS) {
        refused.push(...(await put(writer, table, rows.slice(at, at + WRITE_ROWS))))
      }
      return refused
    },
    remove: async (table, keys) => {
      const types = table.key.map((place) => POSTGRES_TYPES[table.columns[place]?.kind ?? 'text'])
      const match = table.key.map((place, index) => `t.${quoted(table.columns[place]?.name ?? '')} = r.c${index}`)
      const list = types.map((type, index) => `c${index} ${type}`).join(', ')
      for (let at = 0; at < keys.length; at += WRITE_ROWS) {
        const rows = keys.slice(at, at + WRITE_ROWS).map((key) => asObject(bound(table, key)))
        await writer.query(
          `DELETE FROM ${quoted(table.name)} AS t USING json_to_recordset($1::json) AS r(${list}) WHERE ${match.join(' AND ')}`,
          [JSON.stringify(rows)],
        )
      }
    },
    load: async (table, chunks) => {
      const names = table.columns.map(({ name }) => quoted(name)).join(', ')
      try {
        await CopyIn.run(writer, `COPY ${quoted(table.name)} (${names}) FROM STDIN`, chunks)
        return true
      } catch (error) {
        if (isDataError(error)) return false
        throw error
      }
    },
    dropIndexes: async (table) => {
      for (const { name } of own(table)) await writer.query(`DROP INDEX IF EXISTS ${quoted(name)}`)
    },
    makeIndexes: async (table) => {
      for (const { definition } of own(table)) {
        await writer.query(definition.replace(/^CREATE (UNIQUE )?INDEX /, 'CREATE $1INDEX IF NOT EXISTS '))
      }
    },
    analyze: async (table) => {
      await writer.query(`ANALYZE ${quoted(table.name)}`)
    },
    [Symbol.asyncDispose]: async () => {
      await reader.end()
      await writer.end()
    },
  }
}

const asObject = (values: readonly (string | null)[]) =>
  Object.fromEntries(values.map((value, index) => [`c${index}`, value]))

async function put(writer: pg.Client, table: Table, rows: readonly Row[]): Promise<Refused[]> {
  try {
    await writer.query(upsert(table), [
      JSON.stringify(
        rows.map((row) => asObject(row.map((value, place) => written(table.columns[place]?.kind, value)))),
      ),
    ])
    return []
  } catch (error) {
    if (!isDataError(error)) throw error
    if (rows.length === 1) return [{ row: rows[0] as Row, reason: error.message }]
    const middle = Math.ceil(rows.length / 2)
    return [...(await put(writer, table, rows.slice(0, middle))), ...(await put(writer, table, rows.slice(middle)))]
  }
}

function upsert(table: Table): string {
  const names = table.columns.map(({ name }) => quoted(name))
  const others = names.filter((_, place) => !table.key.includes(place)).map((name) => `${name} = excluded.${name}`)
  const action = others.length === 0 ? 'NOTHING' : `UPDATE SET ${others.join(', ')}`
  const typed = table.columns.map(
    ({ kind }, place) => `c${place} ${kind === 'boolean' ? 'text' : POSTGRES_TYPES[kind]}`,
  )
  const list = table.columns.map(({ kind }, place) => (kind === 'boolean' ? `c${place}::boolean` : `c${place}`))
  return `INSERT INTO ${quoted(table.name)} (${names.join(', ')})
    SELECT ${list.join(', ')} FROM json_to_recordset($1::json) AS r(${typed.join(', ')}) WHERE true
    ON CONFLICT (${keyList(table)}) DO ${action}`
}

/** The server would not have a value or a row (classes 22 and 23). https://www.postgresql.org/docs/18/errcodes-appendix.html */
const isDataError = (error: unknown): error is pg.DatabaseError =>
  isServerError(error) && /^2[23]/.test(error.code ?? '')

/** The indexes of the current schema besides those of primary keys. */
export const postgresIndexes = async (client: pg.Client): Promise<IndexDefinition[]> => {
  const { rows } = await client.query<IndexDefinition>(
    `SELECT t.relname AS table, c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
     FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid
     WHERE t.relkind = 'r' AND t.relnamespace = current_schema()::text::regnamespace AND NOT i.indisprimary ORDER BY c.relname`,
  )
  return rows
}
