import assert from 'node:assert/strict'
import { hash, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { env } from 'node:process'
import { test } from 'node:test'
import { openSqlite } from '#storage/sqlite/open.ts'
import { postgresPlace, sqlitePlace, type TestPlace } from '#storage/testing/each-database.ts'
import { generateServer } from '#test/helpers/generated-server.ts'
import { dumpPostgres, dumpSqlite, onPostgres, onSqlite, runPort } from '#test/helpers/port.ts'
import { systemClock } from '#util/clock.ts'

type Trial = { readonly place: TestPlace; readonly path: string; readonly uri: string }

/** Runs the test with a generated server in a SQLite file and an empty PostgreSQL database, of each age that is there. */
const eachTarget = (name: string, body: (trial: Trial) => Promise<void>, events = 2_500): void => {
  for (const [kind, uri] of [
    ['newest', env['MYELIN_TEST_POSTGRES']],
    ['oldest', env['MYELIN_TEST_POSTGRES_OLDEST']],
  ]) {
    test(`${name} (${kind})`, { skip: uri === undefined ? 'no PostgreSQL: run it by npm test' : false }, async () => {
      await using place = sqlitePlace()
      {
        await using database = await place.open()
        await generateServer(database.db, { events })
      }
      await using target = await postgresPlace(kind ?? '', uri ?? '')
      await body({ place, path: place.path ?? '', uri: target.uri })
    })
  }
}

const assertEqual = async ({ path, uri }: Trial) => assert.deepEqual(await dumpPostgres(uri), dumpSqlite(path))
const ported = async ({ path, uri }: Trial) => {
  const report = await runPort({ sqlitePath: path, uri })
  assert.deepEqual(
    report.tables.flatMap(({ differences, oddities }) => [...differences.items, ...oddities.items]),
    [],
  )
  assert.ok(report.isFinished)
  const sum = (count: (table: (typeof report.tables)[number]) => number) =>
    report.tables.reduce((total, table) => total + count(table), 0)
  return {
    added: sum(({ added }) => added),
    updated: sum(({ updated }) => updated),
    removed: sum(({ removed }) => removed),
  }
}

eachTarget('every row arrives, the source is not touched, and a second run finds nothing to do', async (trial) => {
  const { path } = trial
  const folder = () => readdirSync(dirname(path)).sort()
  const before = [hash('sha256', readFileSync(path)), folder()]
  assert.ok((await ported(trial)).added > 10_000)
  await assertEqual(trial)
  assert.deepEqual(await ported(trial), { added: 0, updated: 0, removed: 0 })
  assert.deepEqual([hash('sha256', readFileSync(path)), folder()], before)
  const indexes = await onPostgres(
    trial.uri,
    "SELECT count(*)::int AS n FROM pg_indexes WHERE indexname = 'events_graph'",
  )
  assert.equal(indexes[0]?.['n'], 1, 'secondary indexes are back')
  assert.deepEqual(await onPostgres(trial.uri, "SELECT 1 FROM pg_tables WHERE tablename = 'myelin_port'"), [])
})

eachTarget(
  'what changed and what went since the last run is carried over, whatever VACUUM does between',
  async (trial) => {
    await ported(trial)
    onSqlite(trial.path, (db) => {
      db.exec(`UPDATE accounts SET is_locked = 1, password_hash = 'other' WHERE "user" % 7 = 0`)
      db.exec('DELETE FROM event_json WHERE event % 10 = 3')
      db.exec('DELETE FROM events WHERE event % 10 = 3')
      db.exec('DELETE FROM relations WHERE event % 10 = 3')
      db.exec(`INSERT INTO users VALUES (1000000, '@late:example.org', 1), (-5, '@early:example.org', 0)`)
      db.exec('UPDATE events SET redacted_by = 1 WHERE event % 11 = 2')
      db.exec("UPDATE numbers SET next = 2000000 WHERE name = 'user'")
      db.exec('PRAGMA auto_vacuum = FULL; VACUUM')
    })
    const first = await ported(trial)
    assert.ok(first.updated > 100 && first.removed > 100 && first.added >= 2)
    await assertEqual(trial)
    onSqlite(trial.path, (db) => {
      db.exec('DELETE FROM devices WHERE "user" % 3 = 1; DELETE FROM log WHERE pos % 2 = 1')
      db.exec('PRAGMA auto_vacuum = INCREMENTAL; VACUUM')
    })
    assert.ok((await ported(trial)).removed > 1_000)
    await assertEqual(trial)
  },
)

eachTarget(
  'a source that vacuums itself is the same source: nothing is copied anew, and rows are followed as before',
  async (trial) => {
    await ported(trial)
    onSqlite(trial.path, (db) => {
      db.exec('PRAGMA auto_vacuum = FULL; VACUUM')
      assert.equal(db.prepare('PRAGMA auto_vacuum').get()?.['auto_vacuum'], 1)
    })
    assert.deepEqual(await ported(trial), { added: 0, updated: 0, removed: 0 })
    const pages = () => onSqlite(trial.path, (db) => Number(db.prepare('PRAGMA page_count').get()?.['page_count']))
    const before = pages()
    const gone = onSqlite(trial.path, (db) =>
      Number(db.prepare('DELETE FROM event_json WHERE event % 2 = 1').run().changes),
    )
    assert.ok(pages() < before, 'pages were moved about, and the file is smaller')
    assert.deepEqual(await ported(trial), { added: 0, updated: 0, removed: gone })
    await assertEqual(trial)
    assert.ok((await runPort({ sqlitePath: trial.path, uri: trial.uri, onlyVerify: true })).isEqual)
  },
)

eachTarget('names that two rows exchanged do not get into each other’s way', async (trial) => {
  await ported(trial)
  onSqlite(trial.path, (db) => {
    db.exec(`UPDATE users SET user_id = 'x' || user_id WHERE "user" IN (1, 2)`)
    db.exec(`UPDATE users SET user_id = '@user2:example.org' WHERE "user" = 1`)
    db.exec(`UPDATE users SET user_id = '@user1:example.org' WHERE "user" = 2`)
    // The same event relates to something else: another key, but the same unique value.
    db.exec(`UPDATE relations SET target = '$zzz' WHERE event = (SELECT min(event) FROM relations)`)
    db.exec(`UPDATE relations SET target = '$000' WHERE event = (SELECT max(event) FROM relations)`)
  })
  await ported(trial)
  await assertEqual(trial)
})

eachTarget('verifying finds every row that was tampered with, and writes nothing', async (trial) => {
  const { path, uri } = trial
  const verify = () => runPort({ sqlitePath: path, uri, onlyVerify: true })
  await assert.rejects(verify(), /Nothing was ported/)
  await ported(trial)
  assert.ok((await verify()).isEqual)
  await onPostgres(uri, `UPDATE event_json SET json = json || ' ' WHERE event = (SELECT max(event) FROM event_json)`)
  await onPostgres(uri, 'DELETE FROM log WHERE pos = 100')
  await onPostgres(uri, `INSERT INTO users VALUES (77777777, '@extra:example.org', false)`)
  await onPostgres(uri, `UPDATE devices SET display_name = NULL WHERE "user" = 1 AND device_id = 'GENERATED0'`)
  const report = await verify()
  assert.equal(report.isEqual, false)
  const found = report.tables.flatMap(({ differences }) => differences.items)
  assert.deepEqual(found.map(({ table, kind, columns }) => [table, kind, ...columns]).sort(), [
    ['devices', 'different', 'display_name'],
    ['event_json', 'different', 'json'],
    ['log', 'missing'],
    ['users', 'extra'],
  ])
  assert.deepEqual(await onPostgres(uri, `SELECT 1 FROM users WHERE "user" = 77777777`).then((rows) => rows.length), 1)
  await ported(trial)
  await assertEqual(trial)
})

eachTarget(
  'what stands in one range or in none is found: first and last rows, empty tables, ranges of one row',
  async (trial) => {
    const { path, uri } = trial
    await runPort({ sqlitePath: path, uri, batchSize: 1 })
    await assertEqual(trial)
    onSqlite(path, (db) => db.exec('DELETE FROM users; DELETE FROM media; DELETE FROM to_device'))
    await runPort({ sqlitePath: path, uri, batchSize: 3 })
    await assertEqual(trial)
  },
  300,
)

eachTarget(
  'a database that a server ran on, or of another server, is not overwritten',
  async (trial) => {
    const { path, uri } = trial
    const refused = (pattern: RegExp, serverName = 'example.org') =>
      assert.rejects(runPort({ sqlitePath: path, uri, serverName }), pattern)
    await refused(/belongs to the server example\.org, but server_name in the configuration is other\.org/, 'other.org')
    await ported(trial)
    await onPostgres(uri, "UPDATE deployment SET server_name = 'other.org'")
    await refused(/The database to copy into belongs to the server other\.org/)
    await onPostgres(uri, "UPDATE deployment SET server_name = 'example.org', mark = 'used'")
    await refused(/A server of example\.org has run on the database to copy into/)
    await onPostgres(uri, 'DELETE FROM deployment')
    await refused(/has rows in .*, but belongs to no server/)
    await onPostgres(uri, 'DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE other (n INTEGER)')
    await refused(/tables that are not of Myelin/)
    await onPostgres(uri, 'DROP TABLE other')
    await ported(trial)
    await assertEqual(trial)
  },
  300,
)

eachTarget(
  'a copy that was made while the server ran is refused without its log, and taken with it',
  async (trial) => {
    const { place, path, uri } = trial
    await ported(trial)
    const copy = `${path}.snapshot`
    {
      await using database = await place.open()
      // Closed in order before, and open now: the file itself says so at once.
      copyFileSync(path, copy)
      await assert.rejects(
        runPort({ sqlitePath: copy, uri }),
        /was copied while its server ran.*Stop the server and copy/,
      )
      copyFileSync(path, copy)
      copyFileSync(`${path}-wal`, `${copy}-wal`)
      assert.ok(database.db)
    }
    const notes: string[] = []
    await runPort({ sqlitePath: copy, uri, on: (event) => event.kind === 'note' && notes.push(event.text) })
    assert.match(notes.join(), /not closed in order/)
    assert.equal(existsSync(`${copy}-shm`), false)
  },
  300,
)

eachTarget(
  'a file that has another name, too, is known as the one that a server has open',
  async (trial) => {
    const { place, path, uri } = trial
    const link = `${path}.link`
    symlinkSync(path, link)
    await using database = await place.open()
    assert.ok(database.db)
    const options = { serverName: 'example.org', synchronous: 'OFF', randomBytes, clock: systemClock } as const
    assert.throws(() => openSqlite({ ...options, path: link }), /is in use by another process/)
    const notes: string[] = []
    const report = await runPort({
      sqlitePath: link,
      uri,
      on: (event) => event.kind === 'note' && notes.push(event.text),
    })
    assert.ok(report.isFinished)
    assert.match(notes.join(), /A server is running on the source/)
  },
  300,
)

eachTarget('PostgreSQL is copied back into a file, again and again, row for row', async (trial) => {
  const { path, uri } = trial
  await ported(trial)
  const back = `${path}.back`
  const again = async () => {
    const report = await runPort({ sqlitePath: back, uri, direction: 'to sqlite' })
    assert.ok(report.isFinished)
    assert.deepEqual(await dumpPostgres(uri), dumpSqlite(back))
    return report
  }
  await again()
  assert.deepEqual(dumpSqlite(back), dumpSqlite(path))
  assert.deepEqual(
    readdirSync(dirname(back)).filter((name) => /back-(wal|shm)/.test(name)),
    [],
  )
  await onPostgres(
    uri,
    `DELETE FROM events WHERE event % 5 = 1; UPDATE users SET user_id = 'x' || user_id WHERE "user" < 5`,
  )
  await onPostgres(
    uri,
    `INSERT INTO relations SELECT room, 'new', rel_type, event + 1000000, sender, type, aggregation_key FROM relations`,
  )
  await again()
  const report = await runPort({ sqlitePath: back, uri, direction: 'to sqlite', onlyVerify: true })
  assert.ok(report.isEqual)
  onSqlite(back, (db) => db.exec(`UPDATE users SET user_id = '@other' WHERE "user" = 1`))
  assert.equal((await runPort({ sqlitePath: back, uri, direction: 'to sqlite', onlyVerify: true })).isEqual, false)
  const indexes = (file: string) =>
    onSqlite(file, (db) => db.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name").all())
  assert.deepEqual(indexes(back), indexes(path))
})
