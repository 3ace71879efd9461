import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { env } from 'node:process'
import { test } from 'node:test'
import type { Database } from '#storage/database.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { integer, row, text } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { parametersOf, postgresPlace } from '#storage/testing/each-database.ts'
import { systemClock } from '#util/clock.ts'

const uri = env['MYELIN_TEST_POSTGRES']
const options = { skip: uri === undefined ? 'no PostgreSQL: run it by npm test' : false }

const VALUE = row({ value: text() })
const BACKEND = row({ backend: integer() })

const settingOf = async (db: Database, name: string): Promise<string | undefined> =>
  (await db.get(VALUE, sql`SELECT current_setting(${name}) AS value`))?.value

const backendOf = async (db: Database): Promise<number | undefined> =>
  (await db.get(BACKEND, sql`SELECT pg_backend_pid() AS backend`))?.backend

const opened = (given: string, more: object): Promise<Database> =>
  openPostgres({ parameters: parametersOf(given), serverName: 'example.org', randomBytes, clock: systemClock, ...more })

test('sessions wait for the disk at a commit unless they are told not to', options, async () => {
  await using place = await postgresPlace('PostgreSQL', uri ?? '')
  {
    await using db = await opened(place.uri, {})
    assert.equal(await settingOf(db, 'synchronous_commit'), 'on')
  }
  await using db = await opened(place.uri, { isCommitSynchronous: false })
  assert.equal(await settingOf(db, 'synchronous_commit'), 'off')
})

test('a statement that takes longer than it may is broken off by the server', options, async () => {
  await using place = await postgresPlace('PostgreSQL', uri ?? '')
  await using db = await opened(place.uri, { statementTimeoutMs: 100 })
  assert.equal(await settingOf(db, 'statement_timeout'), '100ms')
  await assert.rejects(db.get(VALUE, sql`SELECT pg_sleep(60)::text AS value`), /statement timeout/)
  assert.equal(await settingOf(db, 'statement_timeout'), '100ms')
})

test('a connection is given up after as many transactions as it may have', options, async () => {
  await using place = await postgresPlace('PostgreSQL', uri ?? '')
  await using db = await opened(place.uri, { maxTransactions: 3 })
  const backends: (number | undefined)[] = []
  for (let n = 0; n < 12; n++) backends.push(await backendOf(db))
  const counts = Map.groupBy(backends, (backend) => backend)
    .values()
    .map((asked) => asked.length)
  assert.ok(Math.max(...counts) <= 3, backends.join(' '))
})
