import type { DatabaseSync } from 'node:sqlite'
import type pg from 'pg'
import { CEILING_STEP } from '#storage/counters/declared.ts'
import { DatabaseRefused, PORT_MARK } from '#storage/database.ts'
import type { Table } from './catalogue.ts'
import { quoted } from './expressions.ts'

/** What a deployment knows of itself: the row of `deployment` and the counters of `numbers`. */
export type Books = {
  readonly serverName: string
  readonly incarnation: number
  /** No position above it was given. */
  readonly position: number
  readonly fingerprintKey: Uint8Array
  readonly numbers: Readonly<Record<string, number>>
}

/** Runs SQL that is the same in both databases, and gives its rows as numbers and texts. */
export type Ask = (sql: string) => Promise<readonly (readonly unknown[])[]>

/** Asks a SQLite file. */
export const askSqlite =
  (db: DatabaseSync): Ask =>
  async (sql) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return statement.all() as unknown as unknown[][]
  }

/** Asks PostgreSQL. */
export const askPostgres =
  (client: pg.Client): Ask =>
  async (sql) =>
    (await client.query({ text: sql, rowMode: 'array' })).rows

/** The books of a SQLite file. Of one that was not closed, the last position may have been given already. */
export const readSqliteBooks = (db: DatabaseSync): Promise<Books> =>
  readBooks(askSqlite(db), 'CASE WHEN closed_cleanly = 1 THEN last_position ELSE ceiling END')

/** The books of a PostgreSQL database. After a crash of the server the last position may have been given already. */
export const readPostgresBooks = (client: pg.Client): Promise<Books> =>
  readBooks(
    askPostgres(client),
    'CASE WHEN closed_cleanly OR started_at = pg_postmaster_start_time()::text THEN last_position ELSE ceiling END',
  )

async function readBooks(ask: Ask, position: string): Promise<Books> {
  const [row] = await ask(`SELECT server_name, incarnation, ${position}, fingerprint_key FROM deployment`)
  if (row === undefined) throw new DatabaseRefused('No server has run on the source yet: there is nothing to copy.')
  const numbers = await ask('SELECT name, next FROM numbers ORDER BY name')
  return {
    serverName: String(row[0]),
    incarnation: Number(row[1]),
    position: Number(row[2]),
    fingerprintKey: row[3] as Uint8Array,
    numbers: Object.fromEntries(numbers.map(([name, next]) => [String(name), Number(next)])),
  }
}

/** Counters and the columns that they give numbers to. */
const COUNTED: Readonly<Record<string, readonly [string, string]>> = {
  user: ['users', 'user'],
  room: ['rooms', 'room'],
  session: ['sessions', 'session'],
  task: ['tasks', 'task'],
  audit: ['audit', 'entry'],
  filter: ['filters', 'filter'],
}

/** A counter beside the highest number that stands in a table. `isBehind`: it would give that number again. */
export type CounterCheck = {
  readonly name: string
  readonly next: number
  readonly highest: number
  readonly isBehind: boolean
}

/** Looks whether counters and the position are ahead of what stands in the tables. */
export const checkCounters = async (ask: Ask, books: Books, tables: readonly Table[]): Promise<CounterCheck[]> => {
  const known = (table: string) => tables.some(({ name }) => name === table)
  const checks: CounterCheck[] = []
  for (const [name, [table, column]] of Object.entries(COUNTED)) {
    if (!known(table)) continue
    const highest = Number((await ask(`SELECT coalesce(max(${quoted(column)}), 0) FROM ${quoted(table)}`))[0]?.[0])
    const next = books.numbers[name] ?? 1
    checks.push({ name: `numbers.${name}`, next, highest, isBehind: next <= highest })
  }
  const positions = tables.filter(({ columns }) => columns.some(({ name }) => name === 'pos'))
  let highest = 0
  for (const { name } of positions) {
    highest = Math.max(highest, Number((await ask(`SELECT coalesce(max(pos), 0) FROM ${quoted(name)}`))[0]?.[0]))
  }
  checks.push({ name: 'position', next: books.position + 1, highest, isBehind: books.position < highest })
  for (const [counter, table, column] of IN_ROOMS) checks.push(await checkInRooms(ask, { counter, table, column }))
  return checks
}

const IN_ROOMS = [
  ['next_event', 'events', 'event'],
  ['next_state_key', 'state_keys', 'key'],
  ['next_state', 'states', 'state'],
] as const

/** Numbers in a room: room * 2^28 + n. The check gives the first room whose counter is behind. */
async function checkInRooms(
  ask: Ask,
  { counter, table, column }: { readonly counter: string; readonly table: string; readonly column: string },
): Promise<CounterCheck> {
  const highest = `(SELECT max(t.${quoted(column)}) - r.room * 268435456 FROM ${quoted(table)} AS t
    WHERE t.${quoted(column)} >= r.room * 268435456 AND t.${quoted(column)} < (r.room + 1) * 268435456)`
  const [found] = await ask(
    `SELECT r.room, r.${counter}, ${highest} FROM rooms AS r WHERE r.${counter} <= ${highest} ORDER BY r.room LIMIT 1`,
  )
  if (found === undefined) return { name: `rooms.${counter}`, next: 0, highest: 0, isBehind: false }
  return {
    name: `rooms.${counter} of room ${found[0]}`,
    next: Number(found[1]),
    highest: Number(found[2]),
    isBehind: true,
  }
}

/** The books with every counter ahead of its table, so that a server can start on them. */
export const repaired = (books: Books, checks: readonly CounterCheck[]): Books => {
  const numbers = { ...books.numbers }
  let { position } = books
  for (const { name, highest, isBehind } of checks) {
    if (!isBehind) continue
    if (name === 'position') position = highest
    if (name.startsWith('numbers.')) numbers[name.slice('numbers.'.length)] = highest + 1
  }
  return { ...books, position, numbers }
}

/** The columns of `deployment` after a port, in the order of the table. */
export const deploymentRow = (books: Books, randomHex: string) =>
  [
    1,
    books.serverName,
    books.incarnation,
    books.position,
    books.position + CEILING_STEP,
    `${PORT_MARK}${randomHex}`,
    '',
    books.fingerprintKey,
  ] as const
