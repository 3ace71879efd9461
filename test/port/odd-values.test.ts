import assert from 'node:assert/strict'
import { env } from 'node:process'
import { test } from 'node:test'
import type { PortReport } from '#storage/port/port.ts'
import { postgresPlace, sqlitePlace, type TestPlace } from '#storage/testing/each-database.ts'
import { decodeText } from '#storage/text.ts'
import { dumpPostgres, dumpSqlite, onPostgres, onSqlite, runPort } from '#test/helpers/port.ts'

const URI = env['MYELIN_TEST_POSTGRES']
const options = { skip: URI === undefined ? 'no PostgreSQL: run it by npm test' : false }

async function withOdd(sql: string, body: (trial: { place: TestPlace; path: string; uri: string }) => Promise<void>) {
  await using place = sqlitePlace()
  const path = place.path ?? ''
  {
    await using _ = await place.open()
  }
  onSqlite(path, (db) => db.exec(sql))
  await using target = await postgresPlace('newest', URI ?? '')
  await body({ place, path, uri: target.uri })
}

const odd = (report: PortReport) =>
  report.tables.flatMap(({ oddities }) =>
    oddities.items.map(({ table, key, column, kind }) => [table, key, column, kind]),
  )

/** Device rows of user 1, in SQL: ID and name. */
const device = (id: string, name: string) =>
  `INSERT INTO devices ("user", device_id, display_name, created_ts) VALUES (1, ${id}, ${name}, 5);`

test(
  'NUL and lone surrogates that nobody escaped arrive as a server would read them, in values and in keys',
  options,
  async () => {
    const sql = [
      device("'plain' || char(0) || 'key'", "'nul' || char(0) || char(0xfffe) || '0000'"),
      device(
        "'\\N'",
        "'tab' || char(9) || 'line' || char(10) || char(13) || '\\x41\\\\.' || char(10) || '\\.' || char(10)",
      ),
      device("CAST(x'6465EDA08076' AS TEXT)", "CAST(x'EDB080' AS TEXT)"),
      device("'zz'", "'\u{1F9E0} é'"),
      device("''", "''"),
    ].join('')
    await withOdd(sql, async ({ path, uri }) => {
      for (let run = 0; run < 2; run++) {
        const report = await runPort({ sqlitePath: path, uri })
        assert.ok(report.isFinished && report.isEqual)
        assert.deepEqual(odd(report), [])
        const rows = await onPostgres(uri, 'SELECT device_id, display_name FROM devices')
        assert.deepEqual(
          new Map(rows.map((row) => [decodeText(String(row['device_id'])), decodeText(String(row['display_name']))])),
          new Map([
            ['plain\0key', 'nul\0\0'],
            ['\\N', 'tab\tline\n\r\\x41\\\\.\n\\.\n'],
            ['de\ud800v', '\udc00'],
            ['zz', '\u{1F9E0} é'],
            ['', ''],
          ]),
        )
      }
      onSqlite(path, (db) => db.exec("DELETE FROM devices WHERE device_id < 'plain~' AND device_id > 'plain'"))
      await runPort({ sqlitePath: path, uri })
      assert.equal((await onPostgres(uri, 'SELECT 1 FROM devices')).length, 4)
    })
  },
)

test('what is no UTF-8 is kept as a server reads it, and told by table and key', options, async () => {
  const sql = device("'a'", "CAST(x'61FF62' AS TEXT)") + device("CAST(x'62FF' AS TEXT)", "'b'")
  await withOdd(sql, async ({ path, uri }) => {
    const report = await runPort({ sqlitePath: path, uri })
    assert.ok(report.isFinished)
    assert.ok(report.hasOddities)
    assert.deepEqual(odd(report).sort(), [
      ['devices', 'user=1, device_id="b\ufffd"', 'device_id', 'changed'],
      ['devices', 'user=1, device_id=a', 'display_name', 'changed'],
    ])
    const rows = await onPostgres(uri, 'SELECT device_id AS id, display_name AS name FROM devices ORDER BY 1')
    assert.deepEqual(
      rows.map(({ id, name }) => [id, name]),
      [
        ['a', 'a\ufffdb'],
        ['b\ufffd', 'b'],
      ],
    )
    const verified = await runPort({ sqlitePath: path, uri, onlyVerify: true })
    assert.ok(verified.isEqual && verified.hasOddities)
  })
})

test(
  'numbers that SQLite keeps as texts or fractions arrive as numbers; what is none is told, and the port is not finished',
  options,
  async () => {
    // Files of Myelin are strict. Somebody took that away.
    const lax = `CREATE TABLE lax AS SELECT * FROM media; DROP TABLE media; DROP TABLE lax;
    CREATE TABLE media (origin TEXT NOT NULL, media_id TEXT NOT NULL, uploader, content_type, upload_name, size, sha256, created_ts,
      last_access_ts, is_quarantined, PRIMARY KEY (origin, media_id)) WITHOUT ROWID;`
    await withOdd(lax, async ({ path, uri }) => {
      const media = (id: string, size: string, quarantined = '0') =>
        `INSERT INTO media (origin, media_id, content_type, size, sha256, created_ts, is_quarantined) VALUES ('', '${id}', 7, ${size}, 'text', 9223372036854775807, ${quarantined});`
      onSqlite(path, (db) =>
        db.exec(media('a', "'12'") + media('b', '13.0') + media('c', "x'31'") + media('d', '14', '2')),
      )
      const first = await runPort({ sqlitePath: path, uri })
      assert.equal(first.isFinished, false)
      assert.deepEqual(odd(first).sort(), [
        ['media', 'origin="", media_id=c', 'size', 'impossible'],
        ['media', 'origin="", media_id=d', 'is_quarantined', 'changed'],
      ])
      await using place = await postgresPlace('newest', URI ?? '')
      assert.ok(place)
      onSqlite(path, (db) => db.exec("DELETE FROM media WHERE media_id = 'c'"))
      assert.ok((await runPort({ sqlitePath: path, uri })).isFinished)
      const rows = await onPostgres(
        uri,
        'SELECT media_id AS id, content_type AS type, size::text, created_ts::text AS ts, sha256 FROM media ORDER BY 1',
      )
      assert.deepEqual(
        rows.map(({ id, type, size, ts, sha256 }) => [id, type, size, ts, String(sha256)]),
        [
          ['a', '7', '12', '9223372036854775807', 'text'],
          ['b', '7', '13', '9223372036854775807', 'text'],
          ['d', '7', '14', '9223372036854775807', 'text'],
        ],
      )
    })
  },
)

test('a text that is too large for one range, and rows by the thousand beside it, arrive', options, async () => {
  const sql = `INSERT INTO event_json VALUES (5, '${'x'.repeat(10_000_000)}');
    INSERT INTO event_json SELECT 10 + value, hex(randomblob(200)) FROM json_each('[${Array.from({ length: 5000 }, (_, n) => n).join()}]');
    INSERT INTO states VALUES (1, x'', NULL, zeroblob(5000000)), (2, x'00', x'', x'ff');`
  await withOdd(sql, async ({ path, uri }) => {
    assert.ok((await runPort({ sqlitePath: path, uri })).isFinished)
    assert.deepEqual(await dumpPostgres(uri), dumpSqlite(path))
  })
})
