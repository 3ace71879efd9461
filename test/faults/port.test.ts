import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { test } from 'node:test'
import { openSqlite } from '#storage/sqlite/open.ts'
import { generateServer } from '#test/helpers/generated-server.ts'
import { dumpPostgres, dumpSqlite, onPostgres, onSqlite } from '#test/helpers/port.ts'
import { startPostgres } from '#test/helpers/postgres-server.ts'
import { systemClock } from '#util/clock.ts'

const ROUNDS = Number(env['MYELIN_FAULT_ROUNDS'] ?? 50)
const EVENTS = Number(env['MYELIN_FAULT_EVENTS'] ?? 20_000)
const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** A generated server in a file, a durable PostgreSQL, and the tool between them. */
class Trial implements AsyncDisposable {
  readonly folder: string
  readonly path: string
  readonly back: string
  readonly postgres: Awaited<ReturnType<typeof startPostgres>>
  uri = ''

  private constructor(postgres: Trial['postgres']) {
    this.folder = mkdtempSync(join(tmpdir(), 'myelin-port-'))
    this.path = join(this.folder, 'homeserver.db')
    this.back = join(this.folder, 'back.db')
    this.postgres = postgres
  }

  static async make(): Promise<Trial> {
    const trial = new Trial(await startPostgres('newest', { durable: true }))
    const options = {
      path: trial.path,
      serverName: 'example.org',
      synchronous: 'OFF',
      randomBytes,
      clock: systemClock,
    } as const
    await using db = openSqlite(options)
    await generateServer(db, { events: EVENTS })
    await trial.newTarget()
    return trial
  }

  /** An empty database to copy into. */
  async newTarget(): Promise<void> {
    const name = `target_${randomBytes(4).toString('hex')}`
    await onPostgres(this.postgres.uri, `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`)
    const uri = new URL(this.postgres.uri)
    const config = `server_name: example.org
media_store_path: ${this.folder}/media
signing_key_path: ${this.folder}/signing.key
database: { name: psycopg2, args: { user: postgres, host: 127.0.0.1, port: ${uri.port}, dbname: ${name} } }
`
    writeFileSync(join(this.folder, 'homeserver.yaml'), config)
    uri.pathname = `/${name}`
    this.uri = uri.href
  }

  start(direction: 'to postgres' | 'to sqlite'): ChildProcess {
    const path = direction === 'to sqlite' ? this.back : this.path
    const more = direction === 'to sqlite' ? ['--reverse'] : []
    const args = [
      MAIN,
      'port-database',
      '--sqlite-database',
      path,
      '--postgres-config',
      join(this.folder, 'homeserver.yaml'),
    ]
    return spawn(execPath, [...args, ...more], { stdio: ['ignore', 'ignore', 'pipe'] })
  }

  /** Runs the tool to its end and gives its exit code and how long it took. */
  async run(
    direction: 'to postgres' | 'to sqlite' = 'to postgres',
  ): Promise<{ code: number | null; ms: number; errors: string }> {
    const start = performance.now()
    const child = this.start(direction)
    let errors = ''
    child.stderr?.on('data', (chunk) => {
      errors += chunk
    })
    return { code: await ended(child), ms: performance.now() - start, errors }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.postgres[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

const ended = (child: ChildProcess): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', resolve))

/** What a server that goes on running between two runs does to its database. */
const changes = (round: number): string => `
  UPDATE accounts SET created_ts = created_ts + 1 WHERE "user" % 20 = ${round % 20};
  UPDATE events SET unread_bits = 3 - unread_bits WHERE event % 97 = ${round};
  DELETE FROM transactions WHERE event % 89 = ${round}; DELETE FROM log WHERE pos % 83 = ${round};
  DELETE FROM relations WHERE event % 79 = ${round};
  INSERT INTO users SELECT ${10_000_000 + round}, '@late${round}:example.org', is_local FROM users LIMIT 1;
  UPDATE numbers SET next = 20000000 WHERE name = 'user'`

/** The same to a file, which is also made smaller now and then. */
const change = (path: string, round: number): void =>
  onSqlite(path, (db) => {
    db.exec(`${changes(round)}; PRAGMA auto_vacuum = ${round % 3}`)
    if (round % 4 === 0) db.exec('VACUUM')
  })

for (const direction of ['to postgres', 'to sqlite'] as const) {
  test(`killed at ${ROUNDS} random moments and run again, the copy equals the source row for row (${direction})`, {
    timeout: 3_600_000,
  }, async (t) => {
    await using trial = await Trial.make()
    let { code, ms, errors } = await trial.run()
    assert.equal(code, 0, errors)
    if (direction === 'to sqlite') {
      ;({ code, ms, errors } = await trial.run(direction))
      assert.equal(code, 0, errors)
      rmSync(trial.back)
    } else await trial.newTarget()
    let unfinished = 0
    for (let round = 0; round < ROUNDS; round++) {
      const child = trial.start(direction)
      await pause(Math.random() * ms * 1.1)
      child.kill('SIGKILL')
      if ((await ended(child)) === null) unfinished++
      if (round % 5 !== 0) continue
      if (direction === 'to postgres') change(trial.path, round)
      else await onPostgres(trial.uri, changes(round))
    }
    assert.ok(unfinished > ROUNDS / 5)
    const last = await trial.run(direction)
    assert.equal(last.code, 0, last.errors)
    const copy = direction === 'to sqlite' ? dumpSqlite(trial.back) : await dumpPostgres(trial.uri)
    assert.deepEqual(copy, direction === 'to sqlite' ? await dumpPostgres(trial.uri) : dumpSqlite(trial.path))
    t.diagnostic(`${unfinished} of ${ROUNDS} runs did not end by themselves; a whole run takes ${Math.round(ms)} ms`)
  })
}

test(`the database server killed at ${ROUNDS} random moments: the tool says so and fails, and the copy is equal in the end`, {
  timeout: 3_600_000,
}, async (t) => {
  await using trial = await Trial.make()
  const { ms } = await trial.run()
  await trial.newTarget()
  const codes = new Map<number | null, number>()
  for (let round = 0; round < ROUNDS; round++) {
    const child = trial.start('to postgres')
    await pause(Math.random() * ms * 1.1)
    await trial.postgres.crash()
    const code = await ended(child)
    assert.ok(code === 0 || code === 5, `${code}`)
    codes.set(code, (codes.get(code) ?? 0) + 1)
    if (round % 5 === 0) change(trial.path, round)
  }
  assert.ok((codes.get(5) ?? 0) > ROUNDS / 5)
  const last = await trial.run()
  assert.equal(last.code, 0, last.errors)
  assert.deepEqual(await dumpPostgres(trial.uri), dumpSqlite(trial.path))
  t.diagnostic(JSON.stringify([...codes]))
})
