import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  copyFileSync,
  createReadStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, execPath, stdout } from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { readCatalogue, type Table } from '#storage/port/catalogue.ts'
import { openToRead } from '#storage/port/connect.ts'
import { CopyIn } from '#storage/port/copy-in.ts'
import { SqliteReader } from '#storage/port/sqlite-side.ts'
import { migratePostgres } from '#storage/postgres/schema.ts'
import { openSqlite } from '#storage/sqlite/open.ts'
import { generateServer } from '#test/helpers/generated-server.ts'
import { startPostgres } from '#test/helpers/postgres-server.ts'
import { systemClock } from '#util/clock.ts'
import type { Figure } from './rows.ts'

/** Events of the generated server; a file that is there already is named by `MYELIN_BENCH_PORT`. */
const EVENTS = Number(env['MYELIN_BENCH_EVENTS'] ?? 100_000)
const MAIN = new URL('../../src/cli/main.ts', import.meta.url).pathname

/** Ports a generated server to a PostgreSQL that is as durable as real ones, beside a plain COPY of the same rows. */
export const portFigures = async (): Promise<Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-bench-'))
  try {
    await using server = await startPostgres('newest', { durable: true })
    const source = await makeSource(folder)
    const uri = new URL(server.uri)
    const config = join(folder, 'homeserver.yaml')
    const create = async (name: string) => {
      await onServer(server.uri, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'UTF8'`))
      const own = new URL(uri)
      own.pathname = `/${name}`
      return own.href
    }
    const plain = await create('plain')
    const rows = await plainCopy({ source, uri: plain, folder })
    await create('ported')
    writeFileSync(config, configuration(folder, uri.port))
    const first = await runTool(source, config)
    const again = await runTool(source, config)
    changeALittle(source)
    const changed = await runTool(source, config)
    const size = await onServer(server.uri, (client) =>
      client.query("SELECT pg_database_size('ported')::float8 AS size"),
    )
    return [
      { name: 'rows ported', value: rows.count, unit: 'rows' },
      { name: 'plain COPY of the same rows', value: rows.count / rows.seconds, unit: '/s' },
      { name: 'port, rows verified', value: rows.count / first.seconds, unit: '/s' },
      { name: 'port against a plain COPY', value: rows.seconds / first.seconds, unit: 'times' },
      { name: 'memory of the port', value: first.memoryMb, unit: 'MB' },
      { name: 'second run, nothing changed', value: again.seconds, unit: 's' },
      { name: 'third run, a little changed', value: changed.seconds, unit: 's' },
      { name: 'PostgreSQL against SQLite on disk', value: size.rows[0].size / statSync(source).size, unit: 'times' },
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function makeSource(folder: string): Promise<string> {
  const path = join(folder, 'homeserver.db')
  const given = env['MYELIN_BENCH_PORT']
  if (given !== undefined) copyFileSync(given, path)
  else {
    await using db = openSqlite({
      path,
      serverName: 'example.org',
      synchronous: 'OFF',
      randomBytes,
      clock: systemClock,
    })
    await generateServer(db, { events: EVENTS })
  }
  return path
}

const configuration = (folder: string, port: string) => `server_name: example.org
media_store_path: ${folder}/media
signing_key_path: ${folder}/signing.key
registration_shared_secret: secret
macaroon_secret_key: secret
database: { name: psycopg2, args: { user: postgres, host: 127.0.0.1, port: ${port}, dbname: ported } }
`

async function onServer<T>(uri: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: uri })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

type Copying = { readonly source: string; readonly uri: string; readonly folder: string }

/** What PostgreSQL needs for the rows alone: one COPY a table from a file, into the tables with their indexes, on one connection. */
async function plainCopy({ source, uri, folder }: Copying): Promise<{ count: number; seconds: number }> {
  using db = openToRead({ engine: 'sqlite', path: source, isImmutable: true })
  const reader = new SqliteReader(db)
  return await onServer(uri, async (client) => {
    await migratePostgres(client)
    let [count, seconds] = [0, 0]
    for (const table of await readCatalogue(client)) {
      const file = join(folder, 'rows')
      writeTable(reader, table, file)
      count += reader.count(table)
      const start = performance.now()
      const names = table.columns.map(({ name }) => `"${name}"`).join(', ')
      await CopyIn.run(
        client,
        `COPY "${table.name}" (${names}) FROM STDIN`,
        createReadStream(file, { highWaterMark: 2 ** 20 }),
      )
      seconds += (performance.now() - start) / 1000
    }
    return { count, seconds }
  })
}

function writeTable(reader: SqliteReader, table: Table, path: string): void {
  const file = openSync(path, 'w')
  for (let after: readonly string[] | undefined; ; ) {
    const upTo = reader.boundary(table, after, 2_000)
    writeSync(file, reader.copyText(table, { after, upTo }))
    if (upTo === undefined) return
    after = upTo
  }
}

/** Runs the tool as an administrator does; gives its time and the most memory that it took. */
async function runTool(source: string, config: string): Promise<{ seconds: number; memoryMb: number }> {
  const start = performance.now()
  const args = [MAIN, 'port-database', '--sqlite-database', source, '--postgres-config', config]
  const child = spawn(execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let [memoryMb, errors] = [0, '']
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const timer = setInterval(() => {
    try {
      const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
      memoryMb = Math.max(memoryMb, Number(kilobytes ?? 0) / 1000)
    } catch {
      // It has ended.
    }
  }, 50)
  const code = await new Promise((resolve) => child.on('exit', resolve))
  clearInterval(timer)
  if (code !== 0) throw new Error(`the port ended with ${code}: ${errors}`)
  return { seconds: (performance.now() - start) / 1000, memoryMb }
}

/** As after an hour of use: something in every large table. */
function changeALittle(source: string): void {
  using db = new DatabaseSync(source)
  db.exec(
    `UPDATE events SET redacted_by = 1 WHERE event IN (SELECT event FROM events ORDER BY event LIMIT 50 OFFSET 5000)`,
  )
  db.exec(`DELETE FROM to_device WHERE "user" < 20; UPDATE accounts SET is_locked = 1 WHERE "user" = 1`)
}

if (import.meta.main) {
  for (const { name, value, unit } of await portFigures()) stdout.write(`${name}: ${value.toPrecision(4)} ${unit}\n`)
}
