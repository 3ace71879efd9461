import type { NumberName } from '#storage/stores/numbers.ts'
import { LARGEST, NUMBER_COLUMNS, POSITION_COLUMNS, ROOM_COUNTERS, SPAN } from './declared.ts'

/** Rows as either driver gives them, by column. */
export type Rows = readonly Readonly<Record<string, unknown>>[]
/** Asks one query after the other, and gets their rows: so that it runs on a driver that answers at once and on one that does not. */
export type Asking<T> = Generator<string, T, Rows>
/** The two kinds of SQL. */
export type Dialect = 'sqlite' | 'postgres'

/** How much is looked at. */
export type Depth =
  /** What a start has time for: ends of indexes, and rooms and devices from somewhere on (`random` is below 1). */
  | { readonly kind: 'start'; readonly random: number }
  /** All rooms and all devices. */
  | { readonly kind: 'all rooms' }
  /** Every row. */
  | { readonly kind: 'every row' }

/** A room whose counters do not agree with its tables; `last` by the counter's name, -1 where there is none. */
export type RoomFacts = {
  readonly room: number
  readonly roomId: string
  readonly currentState: number
  /** The state that was recorded last as the current one. */
  readonly recordedState: number | undefined
  readonly counters: readonly { readonly column: string; readonly next: number; readonly last: number }[]
}

/** The highest position in a column. */
export type PositionEnd = { readonly table: string; readonly column: string; readonly position: number }

/** What the counters say, and what the tables say. */
export type CounterFacts = {
  readonly deployment:
    | {
        readonly lastPosition: number
        readonly ceiling: number
        /** Nothing can have been given after the last position: the database was closed in order, or its server never went away. */
        readonly isExact: boolean
      }
    | undefined
  /** The next number of each name; `undefined` where the counter is not there. */
  readonly numbers: ReadonlyMap<NumberName, { readonly next: number | undefined; readonly highest: number }>
  readonly ends: readonly PositionEnd[]
  readonly rooms: readonly RoomFacts[]
}

/** How many rooms or devices are looked at together where all of them are. */
const WINDOW = 1000
/** A start looks at as many rooms and devices, and at the rooms of as many last entries of the log: on a busy PostgreSQL that takes 30 ms. */
const START_WINDOW = 300
/** As many damaged rooms are told at once. */
const MOST_ROOMS = 50

const names = Object.keys(NUMBER_COLUMNS) as NumberName[]

/** Drivers must not be given what a number cannot hold. */
const bounded = (expression: string): string =>
  `CASE WHEN ${expression} > ${LARGEST + SPAN} THEN ${LARGEST + SPAN} ELSE ${expression} END`
/** The highest number of a column. The order must be that of the column itself, or no index would give it. */
const end = (table: string, column: string): string =>
  `(SELECT ${bounded(`t."${column}"`)} AS e FROM ${table} AS t WHERE t."${column}" IS NOT NULL ORDER BY t."${column}" DESC LIMIT 1)`
const numberOrNone = (value: unknown): number | undefined =>
  value === null || value === undefined ? undefined : Number(value)

/** Looks at all counters. */
export function* counterFacts(dialect: Dialect, depth: Depth): Asking<CounterFacts> {
  const [deployment] = yield `SELECT ${bounded('last_position')} AS last_position, ${bounded('ceiling')} AS ceiling,
    ${dialect === 'sqlite' ? 'closed_cleanly' : 'started_at = pg_postmaster_start_time()::text'} AS is_exact FROM deployment`
  const numbers = yield* numberFacts()
  const ends = yield* positionEnds(depth)
  const roomsEnd = numbers.get('room')?.highest ?? 0
  const usersEnd = numbers.get('user')?.highest ?? 0
  const rooms: RoomFacts[] = []
  const windows = depth.kind === 'start' ? yield* startWindows(roomsEnd, depth.random) : wholeTable(roomsEnd)
  for (const window of windows) {
    rooms.push(...(yield* roomWindow(window)))
    if (rooms.length >= MOST_ROOMS) break
    if (depth.kind !== 'every row') ends.push(...(yield* roomPositions(window)))
  }
  if (depth.kind !== 'every row') ends.push(...(yield* devicePositions(usersEnd, depth)))
  return {
    deployment:
      deployment === undefined
        ? undefined
        : {
            lastPosition: Number(deployment['last_position']),
            ceiling: Number(deployment['ceiling']),
            isExact: deployment['is_exact'] === 1 || deployment['is_exact'] === true,
          },
    numbers,
    ends,
    rooms: [...new Map(rooms.map((room) => [room.room, room])).values()].slice(0, MOST_ROOMS),
  }
}

function* numberFacts(): Asking<Map<NumberName, { next: number | undefined; highest: number }>> {
  const places = names.flatMap((name) => NUMBER_COLUMNS[name].columns.map((one) => ({ name, ...one })))
  const [found = {}] = yield `SELECT ${places
    .map(({ table, column, span }, n) => `${end(table, column)}${span === undefined ? '' : ` / ${span}`} AS e${n}`)
    .join(', ')}`
  const counters = yield `SELECT name, ${bounded('next')} AS next FROM numbers`
  const next = new Map(counters.map((row) => [String(row['name']), Number(row['next'])]))
  const highest = (name: NumberName) =>
    Math.max(0, ...places.map((place, n) => (place.name === name ? (numberOrNone(found[`e${n}`]) ?? 0) : 0)))
  return new Map(names.map((name) => [name, { next: next.get(name), highest: highest(name) }]))
}

function* positionEnds(depth: Depth): Asking<PositionEnd[]> {
  const columns = POSITION_COLUMNS.filter(({ foundBy }) => depth.kind === 'every row' || foundBy === 'index')
  const ends: PositionEnd[] = []
  for (const { table, column, foundBy } of columns) {
    const [found] = yield foundBy === 'index'
      ? `SELECT ${end(table, column)} AS position`
      : `SELECT max("${column}") AS position FROM ${table}`
    const position = numberOrNone(found?.['position'])
    if (position !== undefined) ends.push({ table, column, position })
  }
  return ends
}

/** The rooms that were written last, and some others. */
function* startWindows(last: number, random: number): Asking<string[]> {
  const from = Math.floor(random * Math.max(1, last - START_WINDOW + 2))
  const written = yield `SELECT room FROM log ORDER BY pos DESC LIMIT ${START_WINDOW}`
  const rooms = new Set(written.map(({ room }) => numberOrNone(room)).filter((room) => room !== undefined))
  return [...(rooms.size === 0 ? [] : [windowOf(`room IN (${[...rooms].join(', ')})`)]), windowFrom(from, START_WINDOW)]
}

function* wholeTable(last: number): Iterable<string> {
  for (let from = 0; from <= Math.min(last, NUMBER_COLUMNS.room.largest); from += WINDOW) yield windowFrom(from, WINDOW)
}

const windowFrom = (from: number, count: number): string => windowOf(`room >= ${from} AND room < ${from + count}`)
/** The limit keeps a planner from looking into the tables for rooms outside the window. */
const windowOf = (which: string): string => `SELECT * FROM rooms WHERE ${which} ORDER BY room LIMIT ${WINDOW}`

/** Rooms of a window whose counters are wrong. */
function* roomWindow(window: string): Asking<RoomFacts[]> {
  const lasts = ROOM_COUNTERS.map(
    ({ table, key }, n) => `(SELECT t.${key} - r.room * ${SPAN} FROM ${table} AS t
      WHERE t.${key} >= r.room * ${SPAN} AND t.${key} < (r.room + 1) * ${SPAN} ORDER BY t.${key} DESC LIMIT 1) AS last${n}`,
  )
  const wrong = ROOM_COUNTERS.map(
    ({ column }, n) => `coalesce(x.last${n}, -1) >= x.${column} OR x.${column} > ${SPAN} OR x.${column} < 0`,
  )
  const rows = yield `SELECT x.room, x.room_id, ${bounded('x.current_state')} AS current_state, x.recorded_state,
      ${ROOM_COUNTERS.map(({ column }, n) => `${bounded(`x.${column}`)} AS next${n}, x.last${n}`).join(', ')}
    FROM (SELECT r.room, r.room_id, r.current_state, ${ROOM_COUNTERS.map(({ column }) => `r.${column}`).join(', ')},
      (SELECT c.state FROM current_states AS c WHERE c.room = r.room ORDER BY c.pos DESC LIMIT 1) AS recorded_state,
      ${lasts.join(', ')} FROM (${window}) AS r) AS x
    WHERE ${wrong.join(' OR ')} OR coalesce(x.recorded_state, x.current_state) <> x.current_state
      OR (x.current_state <> 0 AND x.current_state >= x.next_state)
    LIMIT ${MOST_ROOMS}`
  return rows.map((row) => ({
    room: Number(row['room']),
    roomId: String(row['room_id']),
    currentState: Number(row['current_state']),
    recordedState: numberOrNone(row['recorded_state']),
    counters: ROOM_COUNTERS.map(({ column }, n) => ({
      column,
      next: Number(row[`next${n}`]),
      last: numberOrNone(row[`last${n}`]) ?? -1,
    })),
  }))
}

/** The highest positions in rooms of a window. */
function* roomPositions(window: string): Asking<PositionEnd[]> {
  const [found] =
    yield `SELECT max(x.events) AS events, max(x.current_states) AS current_states, max(x.receipts) AS receipts
    FROM (SELECT (SELECT e.pos FROM events AS e WHERE e.event >= r.room * ${SPAN} AND e.event < (r.room + 1) * ${SPAN}
        ORDER BY e.event DESC LIMIT 1) AS events,
      (SELECT c.pos FROM current_states AS c WHERE c.room = r.room ORDER BY c.pos DESC LIMIT 1) AS current_states,
      (SELECT p.pos FROM receipts AS p WHERE p.room = r.room ORDER BY p.pos DESC LIMIT 1) AS receipts
      FROM (${window}) AS r) AS x`
  return POSITION_COLUMNS.filter(({ foundBy }) => foundBy === 'room').flatMap(({ table, column }) => {
    const position = numberOrNone(found?.[table])
    return position === undefined ? [] : [{ table, column, position }]
  })
}

/** The highest position among messages that wait for devices: of some devices, or of all. */
function* devicePositions(last: number, depth: Depth): Asking<PositionEnd[]> {
  const window = depth.kind === 'start' ? START_WINDOW : WINDOW
  let from = depth.kind === 'start' ? Math.floor(depth.random * Math.max(1, last - window + 2)) : 0
  let highest: number | undefined
  for (;;) {
    const [found] = yield `SELECT max(x.pos) AS position, count(*) AS devices, max(x."user") AS last FROM (
      SELECT d."user", (SELECT t.pos FROM to_device AS t WHERE t."user" = d."user" AND t.device_id = d.device_id
        ORDER BY t.pos DESC LIMIT 1) AS pos
      FROM (SELECT "user", device_id FROM devices WHERE "user" >= ${from} ORDER BY "user", device_id LIMIT ${window}) AS d) AS x`
    const position = numberOrNone(found?.['position'])
    if (position !== undefined) highest = Math.max(position, highest ?? 0)
    if (depth.kind === 'start' || Number(found?.['devices'] ?? 0) < window) break
    from = Math.max(from + 1, Number(found?.['last']))
  }
  return highest === undefined ? [] : [{ table: 'to_device', column: 'pos', position: highest }]
}
