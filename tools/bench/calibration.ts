import { generateKeyPairSync, hash, sign, verify } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import { freePort } from '#test/helpers/free-port.ts'
import { firstAnswer } from './first-answer.ts'

/** How this machine does now beside the one that the budgets were set on: 1 is as fast, 2 takes twice as long. */
export type Calibration = {
  readonly cpu: number
  readonly disk: number
  /** Of starting a process, which is files, system calls and the compiler more than it is computing. */
  readonly start: number
  readonly primitives: readonly {
    readonly name: string
    readonly value: number
    readonly reference: number
    readonly unit: string
  }[]
}

/** Microseconds of each primitive on the machine of the budgets (2 cores, Node 26, quiet). */
const REFERENCE = {
  'row by its key': 1.56,
  hash: 1.12,
  sign: 38,
  verify: 107,
  'durable transaction of 1': 210,
  'durable transactions of 10, a row': 34,
  'start of a bare HTTP server': 37_000,
} as const

const EVENT = {
  auth_events: Array.from({ length: 4 }, (_, n) => `$${String(n).repeat(43)}`),
  content: { body: 'A message of the usual length. '.repeat(14), msgtype: 'm.text' },
  depth: 1234,
  hashes: { sha256: 'x'.repeat(43) },
  origin_server_ts: 1_763_800_000_000,
  prev_events: [`$${'p'.repeat(43)}`],
  room_id: '!room:example.org',
  sender: '@sender:example.org',
  signatures: { 'example.org': { 'ed25519:auto': 's'.repeat(86) } },
  type: 'm.room.message',
}

/** Measures the primitives: the median of five short runs of each. */
export const calibrate = async (): Promise<Calibration> => {
  const text = JSON.stringify(EVENT)
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const signature = sign(null, Buffer.from(text), privateKey)
  const measured = {
    'row by its key': rowReads(),
    hash: perCall(() => hash('sha256', text, 'base64url')),
    sign: perCall(() => sign(null, Buffer.from(text), privateKey)),
    verify: perCall(() => verify(null, Buffer.from(text), publicKey, signature)),
    ...durableTransactions(text),
    'start of a bare HTTP server': await bareStart(),
  }
  const primitives = Object.entries(measured).map(([name, value]) => ({
    name,
    value,
    reference: REFERENCE[name as keyof typeof REFERENCE],
    unit: 'µs',
  }))
  return {
    cpu: meanRatio(primitives.slice(0, 4)),
    disk: meanRatio(primitives.slice(4, 6)),
    start: meanRatio(primitives.slice(6)),
    primitives,
  }
}

const meanRatio = (primitives: Calibration['primitives']): number =>
  Math.exp(primitives.reduce((sum, { value, reference }) => sum + Math.log(value / reference), 0) / primitives.length)

const middle = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

function perCall(call: () => unknown, runMs = 150): number {
  const runs = Array.from({ length: 6 }, () => {
    const start = performance.now()
    let calls = 0
    while (performance.now() - start < runMs) {
      for (let n = 0; n < 20; n++) call()
      calls += 20
    }
    return ((performance.now() - start) * 1000) / calls
  })
  // The first run warms up.
  return middle(runs.slice(1))
}

/** Reads of a small row by its key from a database of 100,000 in memory. */
function rowReads(): number {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT')
  const insert = db.prepare('INSERT INTO rows (id, value) VALUES (?, ?)')
  db.exec('BEGIN')
  for (let n = 0; n < 100_000; n++) insert.run(n, n)
  db.exec('COMMIT')
  const read = db.prepare('SELECT id, value FROM rows WHERE id = ?')
  let n = 0
  const time = perCall(() => {
    n = (n + 7919) % 100_000
    return read.get(n)
  })
  db.close()
  return time
}

function durableTransactions(text: string): Pick<typeof REFERENCE, never> & Record<string, number> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-calibration-'))
  const db = new DatabaseSync(join(folder, 'calibration.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0')
  db.exec('CREATE TABLE events (event INTEGER PRIMARY KEY, json TEXT NOT NULL, depth INTEGER NOT NULL) STRICT')
  const insert = db.prepare('INSERT INTO events (json, depth) VALUES (?, ?)')
  const transaction = (rows: number) => () => {
    db.exec('BEGIN IMMEDIATE')
    for (let n = 0; n < rows; n++) insert.run(text, n)
    db.exec('COMMIT')
  }
  const one = perCall(transaction(1), 300)
  const ten = perCall(transaction(10), 300)
  db.close()
  rmSync(folder, { recursive: true, force: true })
  return { 'durable transaction of 1': one, 'durable transactions of 10, a row': ten / 10 }
}

/** Microseconds from starting Node until a server that is nothing but `node:http` answers. */
async function bareStart(): Promise<number> {
  const port = await freePort()
  const program = `require('node:http').createServer((_, response) => response.end()).listen(${port}, '127.0.0.1', () => console.log('listening'))`
  const times: number[] = []
  for (let run = 0; run < 6; run++) {
    const { child, ms } = await firstAnswer([execPath, '-e', program], { port, path: '/', cwd: tmpdir() })
    times.push(ms * 1000)
    child.kill()
    await once(child, 'exit')
  }
  return middle(times.slice(1))
}
