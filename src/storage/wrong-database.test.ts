import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { DatabaseRefused } from '#storage/database.ts'
import { eachPlace, sqlitePlace, type TestPlace } from '#storage/testing/each-database.ts'
import { runSql } from '#storage/testing/run-sql.ts'

const refused = async (place: TestPlace, says: RegExp, serverName = 'example.org'): Promise<void> => {
  await assert.rejects(place.open({ serverName }), (error) => {
    assert.ok(error instanceof DatabaseRefused)
    assert.match(error.message, says)
    return true
  })
}

eachPlace('a database of Synapse is recognised and left as it is', async (place) => {
  await runSql(
    place,
    `CREATE TABLE schema_version (version INTEGER NOT NULL);
CREATE TABLE applied_schema_deltas (version INTEGER NOT NULL, file TEXT NOT NULL);
CREATE TABLE users (name TEXT);
INSERT INTO schema_version VALUES (94)`,
  )
  const before = fingerprint(place)
  await refused(
    place,
    /database of Synapse \(its schema version is 94\).*left it as it is.*createdb --encoding=UTF8.*not possible yet/,
  )
  assert.equal(fingerprint(place), before)
  if (place.path !== undefined) assert.equal(existsSync(`${place.path}-guard`), false)
})

eachPlace('a database of another program is refused with some of its tables, and left as it is', async (place) => {
  await runSql(place, 'CREATE TABLE orders (id INTEGER)')
  const before = fingerprint(place)
  await refused(place, /another program: .* such as orders\. Give Myelin an empty database/)
  assert.equal(fingerprint(place), before)
})

eachPlace('a database that was made or restored in part is refused', async (place) => {
  await (await place.open())[Symbol.asyncDispose]()
  await runSql(place, 'DROP TABLE receipts')
  await refused(place, /half made: it lacks table receipts\. .*backup/)
  await runSql(place, 'DELETE FROM myelin_schema')
  await refused(place, /half made: it lacks its version\./)
  await runSql(place, 'DROP TABLE myelin_schema')
  await refused(place, /half made: it lacks table myelin_schema\./)
})

eachPlace('a migration that did not end is refused, and so is a database of a newer Myelin', async (place) => {
  await (await place.open())[Symbol.asyncDispose]()
  await runSql(place, `UPDATE myelin_schema SET half_made = ${place.path === undefined ? 'true' : '1'}`)
  await refused(place, /half made: it lacks the end of a migration/)
  await runSql(place, `UPDATE myelin_schema SET version = 999, compatible_with = 998`)
  await refused(place, /has version 999, which this Myelin .* too old to open/)
})

eachPlace('a server cannot take the database of another one', async (place) => {
  await (await place.open())[Symbol.asyncDispose]()
  await refused(
    place,
    /belongs to the server example\.org, but server_name is other\.example\. .*put the old one back/,
    'other.example',
  )
})

test('a file that is no database is refused and left as it is', async () => {
  await using place = sqlitePlace()
  writeFileSync(place.path ?? '', 'A letter to somebody. '.repeat(100))
  const before = fingerprint(place)
  await refused(place, /homeserver\.db cannot be opened as a SQLite database: file is not a database/)
  assert.equal(fingerprint(place), before)
})

const fingerprint = ({ path }: TestPlace): string | undefined =>
  path === undefined ? undefined : createHash('sha256').update(readFileSync(path)).digest('hex')
