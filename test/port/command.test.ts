import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { sqlitePlace as filePlace } from '#storage/testing/each-database.ts'
import { generateServer } from '#test/helpers/generated-server.ts'
import { postgresPlace } from '#test/helpers/homeserver.ts'
import { onSqlite } from '#test/helpers/port.ts'

const BIN = fileURLToPath(new URL('../../bin/synapse_port_db', import.meta.url))
const URI = env['MYELIN_TEST_POSTGRES']
const options = { skip: URI === undefined ? 'no PostgreSQL: run it by npm test' : false }

type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

const runBin = (args: readonly string[], cwd: string): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(BIN, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('close', (code) => resolve({ code, out, err }))
  })

test('a command whose reader goes away ends as others do, without a trace', async () => {
  const child = spawn(BIN, ['--help'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let err = ''
  child.stderr.on('data', (chunk) => {
    err += chunk
  })
  child.stdout.destroy()
  const code = await new Promise((resolve) => child.on('close', resolve))
  assert.deepEqual([code, err], [141, ''])
})

test('the command of the page: what it says, and every exit code', options, async () => {
  await using file = filePlace()
  await using base = await postgresPlace(URI ?? '')
  const path = file.path ?? ''
  {
    await using database = await file.open()
    await generateServer(database.db, { events: 400 })
  }
  const { folder } = base
  const config = join(folder, 'homeserver-postgres.yaml')
  const write = (database: string) =>
    writeFileSync(
      config,
      `server_name: example.org\nmedia_store_path: ${folder}/media\nsigning_key_path: ${folder}/signing.key\n${database}\n`,
    )
  const go = (...more: string[]) => runBin(['--sqlite-database', path, '--postgres-config', config, ...more], folder)
  const ends = async (code: number, pattern: RegExp, ...more: string[]) => {
    const ended = await go(...more)
    assert.equal(ended.code, code, ended.err)
    assert.match(ended.out + ended.err, pattern)
    return ended
  }
  write('')
  await ends(4, /no database section/)
  write('database: { args: { database: x } }')
  await ends(2, /has no name/)
  write(`database: { name: sqlite3, args: { database: "${path}" } }`)
  await ends(3, /not PostgreSQL/)
  write('database: { name: psycopg2, args: { host: 127.0.0.1, port: 1, user: nobody, database: none } }')
  await ends(5, /PostgreSQL does not answer/)
  write('database: [')
  await ends(5, /not YAML/)
  write(base.database)
  const missing = await runBin(['--sqlite-database', `${path}.none`, '--postgres-config', config], folder)
  assert.equal(missing.code, 1)
  assert.equal(existsSync(`${path}.none`), false)
  await ends(2, /unknown option/, '--no-such-flag')
  await ends(2, /at least 1/, '--batch-size', '0')
  assert.equal((await runBin(['--sqlite-database', path], folder)).code, 2)
  const { out } = await ends(0, /Done: every row is there/)
  assert.match(out, /^Preparing .*\.\.\.$/m)
  assert.match(out, /^events: 100% \(400\/400\) done$/m)
  assert.match(out, /^events +400 +400 +400 +0 +0 +[0-9a-f]{32} +equal$/m)
  assert.match(out, /^position +\d+ +\d+ +equal\nfingerprint key +[0-9a-f]{8} +[0-9a-f]{8} +equal$/m)
  await ends(0, /Done/, '--curses', '--batch-size', '100')
  await ends(0, /Both databases are equal/, '--verify-only')
  onSqlite(path, (db) => db.exec(`UPDATE numbers SET next = next + 7 WHERE name = 'task'`))
  await ends(6, /^task +\d+ +\d+ +DIFFERS$[\s\S]*counters of the two databases do not agree/m, '--verify-only')
  onSqlite(path, (db) => db.exec(`UPDATE numbers SET next = next - 7 WHERE name = 'task'`))
  onSqlite(path, (db) => db.exec(`UPDATE users SET is_local = 1 - is_local WHERE "user" = 3`))
  await ends(6, /users user=3: different \(is_local\)[\s\S]*not equal/, '--verify-only')
  onSqlite(path, (db) => db.exec(`INSERT INTO users VALUES (12345678, CAST(x'ff' AS TEXT), 1)`))
  await ends(7, /users user=12345678 user_id: it is no UTF-8/)
  const back = join(folder, 'back.db')
  const reversed = await runBin(['--sqlite-database', back, '--postgres-config', config, '--reverse'], folder)
  assert.equal(reversed.code, 0, reversed.err)
  assert.ok(readFileSync(back).length > 0)
})
