import assert from 'node:assert/strict'
import { copyFileSync, openSync, statSync, writeSync } from 'node:fs'
import { test } from 'node:test'
import type { CheckOptions, CheckReport } from '#storage/check/finding.ts'
import * as declared from '#storage/check/findings.ts'
import { checkPostgres } from '#storage/postgres/check-database.ts'
import { checkSqlite } from '#storage/sqlite/check-database.ts'
import { eachPlace, parametersOf, sqlitePlace, type TestPlace } from '#storage/testing/each-database.ts'
import { runSql, withClient } from '#storage/testing/run-sql.ts'

const OPTIONS: CheckOptions = {
  serverName: 'example.org',
  isFull: false,
  memoryBytes: 16 * 1024 ** 3,
  longTransactionSeconds: 300,
}

const check = async (place: TestPlace, options: Partial<CheckOptions> = {}): Promise<CheckReport> => {
  const all = { ...OPTIONS, ...options }
  return place.path === undefined ? checkPostgres(parametersOf(place.uri ?? ''), all) : checkSqlite(place.path, all)
}
const idsOf = ({ findings }: CheckReport): readonly string[] => findings.map(({ id }) => id)
const serious = ({ findings }: CheckReport) => findings.filter(({ severity }) => severity !== 'note')
const made = async (place: TestPlace): Promise<void> => (await place.open())[Symbol.asyncDispose]()

eachPlace('a healthy database has nothing serious, while a server has it open and after', async (place) => {
  assert.deepEqual(
    idsOf(await check(place)).filter((id) => id === 'empty'),
    ['empty'],
  )
  {
    await using open = await place.open()
    for (const isFull of [false, true]) assert.deepEqual(serious(await check(place, { isFull })), [])
    assert.equal(open.db.description === '', false)
  }
  const report = await check(place, { isFull: true })
  assert.deepEqual(serious(report), [])
  assert.match(report.database, place.path === undefined ? /^PostgreSQL 1\d/ : /^SQLite 3/)
  assert.ok(report.bytes > 100_000)
  if (place.path === undefined) assert.ok(report.tables.some(({ name }) => name === 'events'))
})

eachPlace('what a start would refuse or mend is found', async (place) => {
  await made(place)
  await runSql(place, `DELETE FROM numbers WHERE name = 'user'`)
  const mendable = await check(place)
  assert.deepEqual(
    serious(mendable).map(({ id, severity }) => [id, severity]),
    [['counter_mendable', 'warning']],
  )
  await runSql(place, `INSERT INTO numbers (name, next) VALUES ('user', 9007199254740991)`)
  const [wrong] = serious(await check(place))
  assert.equal(wrong?.id, 'counter_wrong')
  assert.match(wrong?.advice ?? '', /make a backup, and run:\nUPDATE numbers SET next = 1 WHERE name = 'user';/)
  const other = await check(place, { serverName: 'other.example' })
  assert.deepEqual(
    serious(other).map(({ id }) => id),
    ['refused'],
  )
})

eachPlace('positions that only a look at every row finds are found by --full', async (place) => {
  await made(place)
  await runSql(
    place,
    `INSERT INTO account_data VALUES (1, 0, 'x', '{}', 500000);\nUPDATE numbers SET next = 2 WHERE name = 'user'`,
  )
  assert.deepEqual(serious(await check(place)), [])
  const [found] = serious(await check(place, { isFull: true }))
  assert.match(found?.sentence ?? '', /account_data\.pos has position 500000/)
})

eachPlace(
  'settings are held against memory, dead rows and long transactions are told (PostgreSQL only)',
  async (place) => {
    if (place.uri === undefined) return
    await made(place)
    const name = new URL(place.uri).pathname.slice(1)
    await runSql(place, `ALTER DATABASE ${name} SET work_mem = '1GB'`)
    const report = await check(place)
    const work = report.findings.find(({ sentence }) => sentence.startsWith('work_mem is 1GB'))
    assert.equal(work?.id, 'setting_wrong')
    assert.match(work?.advice ?? '', /^psql -c "ALTER SYSTEM SET work_mem = '\d+MB'"/)
    assert.ok(
      report.settings.some((one) => one.name === 'shared_buffers' && /^\d+MB$|^\d+GB$/.test(one.recommended ?? '')),
    )
    await runSql(
      place,
      `ALTER DATABASE ${name} SET work_mem = '4MB';\nALTER DATABASE ${name} SET maintenance_work_mem = '8GB'`,
    )
    assert.ok(idsOf(await check(place)).includes('setting_wrong'), 'autovacuum could take all')
    await withClient(place, async (client) => {
      await client.query('BEGIN')
      await client.query('SELECT 1')
      const long = (await check(place, { longTransactionSeconds: 0 })).findings.find(
        ({ id }) => id === 'long_transaction',
      )
      assert.match(long?.sentence ?? '', /idle in transaction/)
      assert.match(long?.advice ?? '', /pg_terminate_backend\(\d+\)/)
    })
    await runSql(
      place,
      `ALTER TABLE audit SET (autovacuum_enabled = false);
INSERT INTO audit SELECT n, 0, NULL, 'x', repeat('y', 500), '{}' FROM generate_series(1, 60000) AS n;
UPDATE numbers SET next = 100000 WHERE name = 'audit';
DELETE FROM audit WHERE entry > 3000`,
    )
    await runSql(place, 'SELECT pg_sleep(1.2)')
    const dead = (await check(place)).findings.find(({ id }) => id === 'dead_rows')
    assert.match(dead?.sentence ?? '', /audit has \d+ dead rows beside \d+ living/)
    // The rows stay where they are, spread over the pages.
    await runSql(place, "INSERT INTO audit SELECT n, 0, NULL, 'x', 'y', '{}' FROM generate_series(90000, 90010) AS n")
    await runSql(place, 'VACUUM audit')
    await runSql(place, 'ANALYZE audit')
    assert.match(
      (await check(place)).findings.find(({ id }) => id === 'bloat')?.sentence ?? '',
      /audit takes .* need about .*estimate/,
    )
  },
)

eachPlace(
  'duplicates that a damaged unique index let in are found, and so is the index (PostgreSQL only)',
  async (place) => {
    if (place.uri === undefined) return
    await made(place)
    assert.ok(idsOf(await check(place)).includes('amcheck_missing'))
    await runSql(
      place,
      `CREATE EXTENSION amcheck;
INSERT INTO users VALUES (1, '@a:example.org', true);
UPDATE numbers SET next = 10 WHERE name = 'user';
UPDATE pg_index SET indisready = false WHERE indexrelid = 'users_id'::regclass`,
    )
    await runSql(place, `INSERT INTO users VALUES (2, '@a:example.org', true)`)
    await runSql(place, `UPDATE pg_index SET indisready = true WHERE indexrelid = 'users_id'::regclass`)
    const found = serious(await check(place, { isFull: true }))
    assert.deepEqual(found.map(({ id }) => id).sort(), ['duplicates', 'index_damaged'])
    assert.match(
      found.find(({ id }) => id === 'duplicates')?.sentence ?? '',
      /users has 1 value more than once .* users_id/,
    )
    // The SQL of the advice shows them.
    const advice = found.find(({ id }) => id === 'duplicates')?.advice ?? ''
    const select = /^SELECT .*;$/m.exec(advice)?.[0] ?? ''
    const shown = await runSql(
      place,
      `SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; ${select}`,
    )
    assert.deepEqual(shown.map((row) => Number(row['user'])).sort(), [1, 2])
    await runSql(place, `DELETE FROM users WHERE "user" = 2`)
    await runSql(place, 'REINDEX INDEX users_id')
    assert.deepEqual(serious(await check(place, { isFull: true })), [])
    await runSql(place, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_id'::regclass`)
    assert.ok(idsOf(await check(place)).includes('index_invalid'))
  },
)

test('of a file: damage, free pages, auto_vacuum and a log that is left behind are found', async () => {
  await using place = sqlitePlace()
  const path = place.path ?? ''
  await runSql(place, 'PRAGMA auto_vacuum = INCREMENTAL;\nVACUUM')
  await made(place)
  assert.ok(idsOf(await check(place)).includes('auto_vacuum'))
  await runSql(
    place,
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
INSERT INTO audit SELECT i, 0, NULL, 'x', hex(zeroblob(500)), '{}' FROM n;
UPDATE numbers SET next = 100000 WHERE name = 'audit'`,
  )
  const before = statSync(path).size
  await runSql(place, 'DELETE FROM audit')
  const free = (await check(place)).findings.find(({ id }) => id === 'free_pages')
  assert.match(free?.sentence ?? '', /MB of the file's .* are empty/)
  assert.ok(before > 16 * 1024 * 1024)
  {
    await using _open = await place.open()
    assert.ok(idsOf(await check(place)).includes('not_closed'))
  }
  const damaged = `${path}.damaged`
  copyFileSync(path, damaged)
  const file = openSync(damaged, 'r+')
  for (let page = 3; page < 60; page++) writeSync(file, Buffer.alloc(2000, 0xa5), 0, 2000, page * 4096)
  const report = checkSqlite(damaged, OPTIONS)
  assert.deepEqual(
    serious(report).map(({ id }) => id),
    ['file_damaged'],
  )
  assert.match(serious(report)[0]?.advice ?? '', /\.recover/)
})

test('findings are declared once, by names that scripts can rely on', () => {
  const example = { sql: [], counter: '', sentence: '', safe: undefined }
  const facts = new Proxy(example, { get: (target, key) => Reflect.get(target, key) ?? 1 })
  const ids = Object.values(declared).map(
    (one) => (one as (facts: unknown) => { id: string }).call(undefined, facts).id,
  )
  assert.equal(new Set(ids).size, ids.length)
})
