import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { CountersInconsistent, examine } from '#storage/counters/at-start.ts'
import type { Damage } from '#storage/counters/damage.ts'
import { NUMBER_COLUMNS, POSITION_COLUMNS, ROOM_COUNTERS, SPAN } from '#storage/counters/declared.ts'
import { readMigrations } from '#storage/migrate.ts'
import { runAsking as runOnPostgres } from '#storage/postgres/ask.ts'
import { runAsking as runOnSqlite } from '#storage/sqlite/ask.ts'
import { eachPlace, type TestPlace } from '#storage/testing/each-database.ts'
import { runSql, withClient } from '#storage/testing/run-sql.ts'

/** A way to damage a counter, and what a start does about it. `alone`: the rest of the row is as new. */
type Damaging = { readonly sql: string; readonly ends: 'mended' | 'refused'; readonly says: RegExp }

/** What is wrong, seen by whoever looks at every row. */
async function damagesNow(place: TestPlace): Promise<readonly Damage[]> {
  if (place.path !== undefined) {
    using db = new DatabaseSync(place.path)
    return runOnSqlite(db, examine('sqlite', { kind: 'every row' }))
  }
  return withClient(place, (client) => runOnPostgres(client, examine('postgres', { kind: 'every row' })))
}

/** What a small server holds: two rooms, a user, a device with a message waiting. */
const EMPTY = (isSqlite: boolean) => (isSqlite ? "x'00'" : "''::bytea")
const contents = (b: string) => `INSERT INTO users VALUES (7, '@a:example.org', true);
INSERT INTO devices VALUES (7, 'D', NULL, 0, NULL, NULL, NULL);
INSERT INTO sessions VALUES (5, 7, 'D', 'legacy', 0, NULL, NULL);
INSERT INTO tasks (task, name, payload, exclusion, due_ts, attempts, status) VALUES (4, 'x', '{}', '', 0, 0, 'done');
INSERT INTO audit VALUES (3, 0, NULL, 'x', 'x', '{}');
INSERT INTO filters VALUES (7, 6, '{}');
INSERT INTO rooms VALUES (2, '!a:example.org', '11', 0, 1, 5, 4, 3, 2, ${b}, false);
INSERT INTO rooms VALUES (9, '!b:example.org', '11', 0, 1, 1, 1, 1, 0, ${b}, false);
INSERT INTO events VALUES (${2 * SPAN + 4}, 2, '$a', 40, 't', NULL, 7, 1, 0, 0, false, NULL, false, false, false, NULL, NULL, 0, ${b}, ${b}, NULL, NULL);
INSERT INTO state_keys VALUES (${2 * SPAN + 3}, 2, 't', 'k');
INSERT INTO states VALUES (${2 * SPAN + 2}, ${b}, NULL, ${b});
INSERT INTO current_states VALUES (2, 30, 2);
INSERT INTO receipts VALUES (2, 7, 'm.read', '', '$a', 40, 1, 0, 41);
INSERT INTO device_list_changes VALUES (7, 42);
INSERT INTO to_device VALUES (7, 'D', 43, 7, 't', '{}');
INSERT INTO log VALUES (44, 1, 2, NULL, ${2 * SPAN + 4});
UPDATE numbers SET next = 10;
UPDATE deployment SET last_position = 44, ceiling = 20000;
`

const number = (highest: number, limit: string): readonly Damaging[] => [
  {
    sql: `UPDATE numbers SET next = ${highest} WHERE name = :name`,
    ends: 'mended',
    says: new RegExp(`${highest}.*goes on with ${highest + 1}`),
  },
  { sql: 'UPDATE numbers SET next = -5 WHERE name = :name', ends: 'mended', says: /-5/ },
  { sql: 'DELETE FROM numbers WHERE name = :name', ends: 'mended', says: /is missing/ },
  { sql: `UPDATE numbers SET next = ${limit} WHERE name = :name`, ends: 'refused', says: /there are none above/ },
]

const HUGE = '9223372036854775807'

/** Every counter, and every column of positions that a start looks at, with ways to damage it. */
const DAMAGES: Readonly<Record<string, readonly Damaging[]>> = {
  'deployment.last_position': [
    {
      sql: 'UPDATE deployment SET last_position = 43',
      ends: 'mended',
      says: /log.pos has position 44.*go on above 20000/,
    },
    { sql: 'UPDATE deployment SET last_position = 0, ceiling = 10', ends: 'refused', says: /none above 10 can/ },
    { sql: 'UPDATE deployment SET last_position = -1', ends: 'refused', says: /is none that can/ },
    { sql: `UPDATE deployment SET last_position = ${HUGE}`, ends: 'refused', says: /is none that can/ },
    { sql: 'DELETE FROM deployment', ends: 'refused', says: /deployment is empty/ },
  ],
  'deployment.ceiling': [
    { sql: 'UPDATE deployment SET ceiling = 43', ends: 'mended', says: /set to 10044/ },
    { sql: `UPDATE deployment SET ceiling = ${HUGE}`, ends: 'mended', says: /set to 10044/ },
    {
      sql: "UPDATE deployment SET ceiling = 0, closed_cleanly = false, started_at = 'before'",
      ends: 'refused',
      says: /the ceiling of positions is 0/,
    },
  ],
  ...Object.fromEntries(
    Object.entries({ user: 7, room: 9, session: 5, task: 4, audit: 3, filter: 6 }).map(([name, highest]) => [
      `numbers.${name}`,
      number(highest, name === 'room' ? String(2 ** 26) : HUGE).map((one) => ({
        ...one,
        sql: one.sql.replace(':name', `'${name}'`),
      })),
    ]),
  ),
  'rooms.next_event': [
    {
      sql: 'UPDATE rooms SET next_event = 4 WHERE room = 2',
      ends: 'refused',
      says: /!a:example.org.*events with 4, but it has number 4/,
    },
    { sql: `UPDATE rooms SET next_event = ${HUGE} WHERE room = 9`, ends: 'refused', says: /a room has only/ },
    { sql: 'UPDATE rooms SET next_event = -1 WHERE room = 9', ends: 'refused', says: /with -1/ },
  ],
  'rooms.next_state_key': [
    { sql: 'UPDATE rooms SET next_state_key = 3 WHERE room = 2', ends: 'refused', says: /state keys with 3/ },
  ],
  'rooms.next_state': [
    { sql: 'UPDATE rooms SET next_state = 1 WHERE room = 2', ends: 'refused', says: /states with 1/ },
  ],
  'rooms.current_state': [
    {
      sql: 'UPDATE rooms SET current_state = 1 WHERE room = 2',
      ends: 'refused',
      says: /state 1 .* state 2 was recorded last/,
    },
    { sql: 'UPDATE rooms SET current_state = 8 WHERE room = 9', ends: 'refused', says: /state 8/ },
  ],
  'log.pos': [
    { sql: 'INSERT INTO log VALUES (300, 1, 2, NULL, 1)', ends: 'mended', says: /log.pos has position 300/ },
    { sql: 'INSERT INTO log VALUES (30000, 1, 2, NULL, 1)', ends: 'refused', says: /log.pos has position 30000/ },
    { sql: `INSERT INTO log VALUES (${HUGE}, 1, 2, NULL, 1)`, ends: 'refused', says: /cannot have been given/ },
  ],
  'device_list_changes.pos': [
    {
      sql: 'UPDATE device_list_changes SET pos = 300',
      ends: 'mended',
      says: /device_list_changes.pos has position 300/,
    },
  ],
  'events.pos': [{ sql: 'UPDATE events SET pos = 30000', ends: 'refused', says: /events.pos has position 30000/ }],
  'current_states.pos': [{ sql: 'UPDATE current_states SET pos = 300', ends: 'mended', says: /current_states.pos/ }],
  'receipts.pos': [{ sql: 'UPDATE receipts SET pos = 300', ends: 'mended', says: /receipts.pos/ }],
  'to_device.pos': [
    { sql: 'UPDATE to_device SET pos = 300', ends: 'mended', says: /to_device.pos has position 300/ },
    { sql: 'UPDATE to_device SET pos = 30000', ends: 'refused', says: /to_device.pos has position 30000/ },
  ],
}

/** The tables and columns that the migrations make, and the counters that they begin with. */
function declaredBySchema(): { readonly columns: readonly string[]; readonly numbers: readonly string[] } {
  const columns: string[] = []
  const numbers: string[] = []
  for (const { text } of readMigrations().flatMap(({ statements }) => statements)) {
    const table = /^CREATE TABLE (\w+)/.exec(text)?.[1]
    for (const [, column] of text.matchAll(/^ {2}"?([a-z_]+)"? [A-Z]+/gm))
      if (table !== undefined) columns.push(`${table}.${column}`)
    if (text.startsWith('INSERT INTO numbers'))
      numbers.push(...Array.from(text.matchAll(/\('(\w+)'/g), (found) => String(found[1])))
  }
  return { columns, numbers }
}

const { columns, numbers } = declaredBySchema()

test('every counter of the schema is declared, and has ways to be damaged here', () => {
  const positions = columns.filter((column) => /\.(\w+_)?pos$/.test(column))
  assert.deepEqual(
    POSITION_COLUMNS.map(({ table, column }) => `${table}.${column}`).sort(),
    [...positions].sort(),
    'every column of positions is declared',
  )
  assert.deepEqual(Object.keys(NUMBER_COLUMNS).sort(), [...numbers].sort())
  const roomCounters = columns.filter((column) => /^rooms\.(next_|current_)/.test(column))
  assert.deepEqual(
    [...ROOM_COUNTERS.map(({ column }) => `rooms.${column}`), 'rooms.current_state'].sort(),
    [...roomCounters].sort(),
  )
  const counters = [
    'deployment.last_position',
    'deployment.ceiling',
    ...numbers.map((name) => `numbers.${name}`),
    ...roomCounters,
    ...POSITION_COLUMNS.filter(({ foundBy }) => foundBy !== 'log entry').map(
      ({ table, column }) => `${table}.${column}`,
    ),
  ]
  assert.deepEqual(Object.keys(DAMAGES).sort(), counters.sort())
})

test('wherever numbers of users, rooms and sessions stand with an index, the counter is held against them', () => {
  const declared = new Set(
    Object.values(NUMBER_COLUMNS).flatMap((one) => one.columns.map(({ table, column }) => `${table}.${column}`)),
  )
  // These have no index that begins with them: the row is known by another number that is declared.
  const known = ['login_tokens.user', 'receipts.user', 'unread_marks.room', 'account_data.room', 'transactions.room']
  const numbered = columns.filter((column) => /\.(user|room|session)$/.test(column) && !known.includes(column))
  assert.deepEqual(
    numbered.filter((column) => !declared.has(column)),
    [],
  )
})

for (const [counter, damagings] of Object.entries(DAMAGES)) {
  eachPlace(`a damaged ${counter} is mended, or stops the start until its SQL was run`, async (place) => {
    await (await place.open())[Symbol.asyncDispose]()
    await runSql(place, contents(EMPTY(place.path !== undefined)))
    {
      await using healthy = await place.open()
      assert.deepEqual(healthy.warnings, [], 'nothing is wrong before')
    }
    for (const { sql, ends, says } of damagings) {
      await runSql(place, `${resetting(place)}${sql}`)
      if (ends === 'refused') await runSql(place, await refusal(place, says))
      const opened = await place.open()
      const { warnings } = opened
      const { position } = opened.db.start
      await opened[Symbol.asyncDispose]()
      if (ends === 'mended') assert.match(warnings.join('\n'), says)
      assert.deepEqual(await damagesNow(place), [], `after ${sql} nothing is wrong any more`)
      assert.ok(Number.isSafeInteger(position) && position < 2 ** 50)
    }
  })
}

/** Everything as it was before. */
const resetting = (place: TestPlace): string => `DELETE FROM numbers;
INSERT INTO numbers (name, next) VALUES ('user', 10), ('room', 10), ('session', 10), ('task', 10), ('audit', 10), ('filter', 10);
DELETE FROM log;
INSERT INTO log VALUES (44, 1, 2, NULL, 1);
UPDATE deployment SET last_position = 44, ceiling = 20000, closed_cleanly = true${place.path === undefined ? ', started_at = pg_postmaster_start_time()::text' : ''};
UPDATE rooms SET next_event = 5, next_state_key = 4, next_state = 3, current_state = CASE WHEN room = 2 THEN 2 ELSE 0 END;
UPDATE events SET pos = 40;
UPDATE current_states SET pos = 30;
UPDATE receipts SET pos = 41;
UPDATE device_list_changes SET pos = 42;
UPDATE to_device SET pos = 43;
`

/** Has a start refused, and gives the SQL of the refusal. */
async function refusal(place: TestPlace, says: RegExp): Promise<string> {
  const error = await place.open().then(
    async (opened) => {
      await opened[Symbol.asyncDispose]()
      return undefined
    },
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof CountersInconsistent, `refused: ${says}`)
  assert.match(error.message, says)
  const [, sql = ''] = error.message.split('then start again:\n')
  assert.notEqual(sql, '')
  return sql
}

eachPlace('a start looks at ends of indexes, and sorts and scans no table that grows', async (place) => {
  await (await place.open())[Symbol.asyncDispose]()
  await runSql(place, contents(EMPTY(place.path !== undefined)))
  const dialect = place.path === undefined ? 'postgres' : 'sqlite'
  const queries: string[] = []
  const asking = examine(dialect, { kind: 'start', random: 0.5 })
  for (let step = asking.next(); step.done !== true; step = asking.next([{ room: 2 }])) queries.push(step.value)
  for (const query of queries) {
    const plan = await runSql(
      place,
      dialect === 'sqlite'
        ? `EXPLAIN QUERY PLAN ${query}`
        : `SET enable_seqscan = off;\nSET enable_bitmapscan = off;\nEXPLAIN ${query}`,
    )
    const text = plan.map((row) => String(row['detail'] ?? row['QUERY PLAN'])).join('\n')
    assert.doesNotMatch(text, /USE TEMP B-TREE|\bSort\b|Seq Scan on (?!deployment|numbers)/, query)
  }
})
