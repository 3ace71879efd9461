import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { test } from 'node:test'
import { inFolder, recorded } from '#cli/testing/recorded.ts'
import { postgresPlace, sqlitePlace, type TestPlace } from '#storage/testing/each-database.ts'
import { runSql } from '#storage/testing/run-sql.ts'

const configured = (folder: string, database: string, serverName = 'example.org'): string => {
  const path = join(folder, 'homeserver.yaml')
  writeFileSync(
    path,
    `server_name: ${serverName}\nlisteners: [{port: 8008, type: http, resources: [{names: [client]}]}]\ndatabase: ${database}\n`,
  )
  return path
}
const sqlite = (place: TestPlace) => `{name: sqlite3, args: {database: "${place.path}"}}`
const check = (config: string, ...more: readonly string[]) => recorded(['check-database', '-c', config, ...more])

test('the exit code is that of the worst finding', () =>
  inFolder(async (folder) => {
    await using place = sqlitePlace()
    await (await place.open())[Symbol.asyncDispose]()
    const config = configured(folder, sqlite(place))
    const fine = await check(config)
    assert.deepEqual([fine.code, fine.err], [0, ''])
    assert.match(fine.out, /^SQLite 3[^\n]*homeserver\.db: \d+ kB\n[\s\S]*Nothing is wrong, as far as was looked/)
    await runSql(place, "DELETE FROM numbers WHERE name = 'room'")
    const warned = await check(config)
    assert.equal(warned.code, 3)
    assert.match(
      warned.out,
      /^warning: The counter of room numbers is missing\. \[counter_mendable\]\n {4}Start the server/m,
    )
    assert.equal(warned.err, '')
    const refused = await check(configured(folder, sqlite(place), 'other.example'), '--json')
    assert.equal(refused.code, 4)
    const report = JSON.parse(refused.out)
    assert.deepEqual([report.worst, report.findings[0].id, report.findings[0].severity], ['error', 'refused', 'error'])
    assert.equal((await recorded(['check-database', '-c', join(folder, 'none.yaml')])).code, 1)
    assert.equal((await check(config, '--memory', 'much')).code, 2)
  }))

test('a database server that does not answer is told, with an exit code of its own', () =>
  inFolder(async (folder) => {
    const config = configured(folder, '{name: psycopg2, args: {host: 127.0.0.1, port: 9, user: x, dbname: x}}')
    const { code, err } = await check(config)
    assert.equal(code, 69)
    assert.match(err, /127\.0\.0\.1/)
  }))

const uri = env['MYELIN_TEST_POSTGRES']
test('PostgreSQL is told of with settings and tables', { skip: uri === undefined }, () =>
  inFolder(async (folder) => {
    await using place = await postgresPlace('PostgreSQL', uri ?? '')
    await (await place.open())[Symbol.asyncDispose]()
    const { hostname, port, username, pathname } = new URL(place.uri)
    const database = `{name: psycopg2, args: {host: ${hostname}, port: ${port}, user: ${username}, dbname: ${pathname.slice(1)}}}`
    const { code, out } = await check(configured(folder, database), '--memory', '16GB')
    assert.equal(code, 0, out)
    assert.match(out, /^PostgreSQL 18[^\n]*\n/)
    assert.match(out, /shared_buffers +\d+MB +\(better: 4096MB\)/)
    assert.match(out, /\nTable +Size +Indexes +Rows +Dead\n/)
  }),
)
