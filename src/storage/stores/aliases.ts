import type { Reader } from '#storage/database.ts'
import { condition, operation } from '#storage/operation.ts'
import { integer, row, text } from '#storage/row.ts'
import { sql, textValue } from '#storage/sql.ts'

/** A local alias of a room. */
export const ALIAS = row({ alias: text(), room: integer(), creator: integer(), createdTs: integer() })
export type AliasRow = (typeof ALIAS)['out']

const scope = ({ alias }: { readonly alias: string }) => `alias:${alias}`

/** An alias names a room. */
export const aliasAdded = operation('alias_added', {
  row: ALIAS,
  statement: { insert: 'aliases' },
  scope,
  fold: 'next batch',
})

/** An alias names nothing any more. */
export const aliasRemoved = operation('alias_removed', {
  row: row({ alias: text() }),
  statement: { remove: 'aliases', where: 't.alias = :alias' },
  scope,
  fold: 'next batch',
})

/** Nothing has that alias yet. */
export const aliasFree = condition('alias_free', {
  row: row({ alias: text() }),
  holds: 'NOT EXISTS (SELECT 1 FROM aliases WHERE alias = :alias)',
  scope,
})

/** What an alias names, or `undefined`. */
export const aliasOf = (db: Reader, alias: string): Promise<AliasRow | undefined> =>
  db.get(ALIAS, sql`SELECT ${ALIAS} FROM aliases WHERE alias = ${textValue(alias)}`)

/** The local aliases of a room. */
export const aliasesOfRoom = (db: Reader, room: number): Promise<AliasRow[]> =>
  db.all(ALIAS, sql`SELECT ${ALIAS} FROM aliases WHERE room = ${room} ORDER BY alias LIMIT 1000`)
