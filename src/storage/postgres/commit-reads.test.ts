import assert from 'node:assert/strict'
import { env } from 'node:process'
import { test } from 'node:test'
import pg from 'pg'
import { Batcher } from '#storage/batcher.ts'
import { Change } from '#storage/change.ts'
import { CONDITIONS, OPERATIONS } from '#storage/stores/all.ts'
import { transactionAdded, transactionNew } from '#storage/stores/transactions.ts'
import { postgresPlace } from '#storage/testing/each-database.ts'
import { commitFunction, commitParameters } from './commit-function.ts'

const uri = env['MYELIN_TEST_POSTGRES']
const skip = uri === undefined ? 'no PostgreSQL: run it by npm test' : false

const declared = { operations: OPERATIONS, conditions: CONDITIONS }
const ROWS = 5_000
/** PostgreSQL makes up its mind about a statement after five calls. */
const CALLS = 8

test('a commit looks up its own rows, however many the table has come to hold since the first', { skip }, async () => {
  await using place = await postgresPlace('PostgreSQL', uri ?? '')
  await using _ = await place.open()
  const client = new pg.Client({ connectionString: place.uri })
  await client.connect()
  const commit = async (txnId: string) => {
    const key = { user: 1, deviceId: 'DEVICE', path: '/send', txnId }
    const batcher = new Batcher(OPERATIONS)
    const row = { ...key, answer: '$event', event: undefined, writtenTs: 1 }
    assert.ok(batcher.add(new Change().require(transactionNew, key).write(transactionAdded, row)))
    await client.query(commitFunction(declared).call, commitParameters(batcher.toBatch(txnId), declared, 1))
  }
  const rowsRead = async () => {
    const { rows } = await client.query(
      "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) AS read FROM pg_stat_xact_user_tables WHERE relname = 'transactions'",
    )
    return Number(rows[0]?.read ?? 0)
  }
  // The table is known to be small when the statements are planned, and grows.
  await commit('first')
  await client.query('ANALYZE transactions')
  for (let n = 0; n < CALLS; n++) await commit(`before${n}`)
  await client.query(
    `INSERT INTO transactions SELECT 2, 'DEVICE', '/send', 'other' || n, '$event', NULL, 1 FROM generate_series(1, ${ROWS}) AS n`,
  )
  await client.query('BEGIN')
  const before = await rowsRead()
  await commit('after')
  const after = await rowsRead()
  await client.query('ROLLBACK')
  await client.end()
  assert.equal(after - before, 0)
})
