// Over 300 lines: one measurement, with what it replays, on two databases.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stdout } from 'node:process'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { Change, LOG_KIND } from '#storage/change.ts'
import { Committer } from '#storage/commit.ts'
import type { Database } from '#storage/database.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { roomKey } from '#storage/room-key.ts'
import { openSqlite } from '#storage/sqlite/open.ts'
import { difference } from '#storage/state-trie/difference.ts'
import { emptyFingerprint, Fingerprints } from '#storage/state-trie/fingerprint.ts'
import { complete, isMissing, type StateRows } from '#storage/state-trie/rows.ts'
import { build, type NewState, setMany } from '#storage/state-trie/set.ts'
import { entries } from '#storage/state-trie/trie.ts'
import { writeState } from '#storage/state-trie/write.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { currentStateAdded, fingerprintKey, stateKeyAdded, stateRows } from '#storage/stores/states.ts'
import { parametersOf } from '#storage/testing/each-database.ts'
import { startPostgres } from '#test/helpers/postgres-server.ts'
import { Budget, ByteCache } from '#util/byte-cache.ts'
import { systemClock } from '#util/clock.ts'

/** One measured figure. */
export type Figure = { readonly name: string; readonly value: number; readonly unit: string }

const CHANGES = 100_000
const MEMBERS = 30_000
const LARGE = 50_000
/** The replayed room, and one with two large states that differ in ten entries. */
const ROOM = 1
const OTHER_ROOM = 2
/** Where commits without states are measured. */
const BASELINE_ROOM = 3
const IN_FLIGHT = 200
const TABLES = ['states', 'state_keys', 'current_states']

/** Replays a large room's membership changes on SQLite and PostgreSQL and measures what its states cost. Takes about a minute. */
export const stateReplay = async (): Promise<Figure[]> => [...(await onSqlite()), ...(await onPostgres())]

async function onSqlite(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'myelin-bench-'))
  const path = join(folder, 'homeserver.db')
  const open = async () =>
    openSqlite({ path, serverName: 'example.org', synchronous: 'FULL', randomBytes, clock: systemClock })
  try {
    return await measure('SQLite', {
      open,
      tableBytes: async () => {
        using db = new DatabaseSync(path, { readOnly: true })
        const query = db.prepare(
          'SELECT sum(pgsize) AS bytes FROM dbstat WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = ?)',
        )
        return TABLES.map((table) => Number(query.get(table)?.['bytes']))
      },
      coolDown: async () => dropFileCache(folder),
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onPostgres(): Promise<Figure[]> {
  await using server = await startPostgres('newest', { durable: true })
  const connection = { connectionString: server.uri }
  return await measure('PostgreSQL', {
    open: () =>
      openPostgres({
        parameters: parametersOf(server.uri),
        serverName: 'example.org',
        randomBytes,
        clock: systemClock,
      }),
    tableBytes: async () => {
      const client = new pg.Client(connection)
      await client.connect()
      const sizes: number[] = []
      for (const table of TABLES) {
        const { rows } = await client.query('SELECT pg_total_relation_size($1) AS bytes', [table])
        sizes.push(Number(rows[0]?.bytes))
      }
      await client.end()
      return sizes
    },
    coolDown: async () => {
      await server.stop()
      dropFileCache(server.dataFolder)
      await server.start()
    },
  })
}

type Place = {
  readonly open: () => Promise<Database>
  /** Bytes of `TABLES` with their indexes; the database is closed. */
  readonly tableBytes: () => Promise<number[]>
  /** Empties the caches of files and of the server; the database is closed. */
  readonly coolDown: () => Promise<void>
}

async function measure(kind: string, place: Place): Promise<Figure[]> {
  const [baselineMs, replayed] = await withDatabase(
    place,
    async (db) => [await commitLogOnly(db), await replay(db)] as const,
  )
  const [states = 0, keys = 0, current = 0] = await place.tableBytes()
  const load = (db: Database) => timed(() => loadAll(db, replayed.root))
  const colds: number[] = []
  for (let run = 0; run < 3; run++) {
    await place.coolDown()
    colds.push(await withDatabase(place, load))
  }
  const [warm, differing, inMemory] = await withDatabase(place, async (db) => {
    const roots = await writeLargeStates(db)
    const rows = new Map<number, Uint8Array>()
    const fromDatabase = () => compareLarge(db, roots, rows)
    const atHand = { room: OTHER_ROOM, row: (state: number) => rows.get(state) }
    await fromDatabase()
    return [
      await median(9, () => loadAll(db, replayed.root)),
      await median(51, fromDatabase),
      await median(51, async () => difference(atHand, ...roots)),
    ] as const
  })
  const figure = (name: string, value: number, unit: string): Figure => ({
    name: `state replay, ${kind}: ${name}`,
    value: Number(value.toFixed(3)),
    unit,
  })
  return [
    figure('raw bytes of an event', replayed.rawBytes / CHANGES, 'bytes'),
    figure('states with index, of raw event bytes', states / replayed.rawBytes, 'ratio'),
    figure(
      'states, keys and current states, of raw event bytes',
      (states + keys + current) / replayed.rawBytes,
      'ratio',
    ),
    figure('states with index, a change', states / CHANGES, 'bytes'),
    figure('nodes, a change', replayed.nodeBytes / CHANGES, 'bytes'),
    figure('write a change with its log entry, all in', (replayed.wallMs * 1000) / CHANGES, 'µs'),
    figure(
      'of that the state, against as many commits of a log entry',
      ((replayed.wallMs - baselineMs) * 1000) / CHANGES,
      'µs',
    ),
    figure('make a state and its fingerprint', (replayed.makingMs * 1000) / CHANGES, 'µs'),
    figure(`load ${replayed.size} entries, warm`, warm, 'ms'),
    figure(`load ${replayed.size} entries, cold`, middle(colds), 'ms'),
    figure(`difference of two of ${LARGE} in 10, from the database`, differing, 'ms'),
    figure(`difference of two of ${LARGE} in 10, in memory`, inMemory, 'ms'),
  ]
}

async function withDatabase<T>(place: Place, use: (db: Database) => Promise<T>): Promise<T> {
  await using db = await place.open()
  return await use(db)
}

const committerOf = (database: Database): Committer =>
  new Committer({ database, operations: OPERATIONS, randomBytes, onCommitted: () => {} })

type Replayed = {
  readonly root: number
  readonly size: number
  readonly rawBytes: number
  readonly nodeBytes: number
  readonly wallMs: number
  readonly makingMs: number
}

async function replay(db: Database): Promise<Replayed> {
  const fingerprints = new Fingerprints(await fingerprintKey(db))
  const cache = new ByteCache<number, Uint8Array>({ budget: new Budget(256 * 2 ** 20), sizeOf: (row) => row.length })
  const rows: StateRows = { room: ROOM, row: (state) => cache.get(state) }
  const random = seeded(20_261_122)
  const members = Array.from({ length: CHANGES }, () => Math.floor(random() * MEMBERS))
  const rawBytes = members.reduce((sum, member, event) => sum + membershipBytes(member, event + 1), 0)
  const keys = new Map<number, number>()
  let [root, next, fingerprint] = [0, 1, emptyFingerprint()]
  let [nodeBytes, makingMs] = [0, 0]
  await using committer = committerOf(db)
  const commit = steadily(committer)
  const started = performance.now()
  for (let event = 1; event <= CHANGES; event++) {
    const member = members[event - 1] as number
    const change = new Change()
    const pos = change.log({ kind: LOG_KIND.event, room: ROOM, item: roomKey(ROOM, event) })
    let key = keys.get(member)
    if (key === undefined) {
      key = keys.size
      keys.set(member, key)
      change.write(stateKeyAdded, {
        key: roomKey(ROOM, key),
        room: ROOM,
        type: 'm.room.member',
        stateKey: userIdOf(member),
      })
    }
    const from = performance.now()
    const state = setMany(rows, root, [[key, event]], () => next++)
    if (isMissing(state)) throw new Error('the cache is too small for the replay')
    fingerprint = fingerprints.after(ROOM, fingerprint, state.differences)
    makingMs += performance.now() - from
    root = state.root
    for (const row of state.rows) {
      cache.set(row.state, row.nodes)
      nodeBytes += row.nodes.length
    }
    writeState(change, { room: ROOM, state, fingerprint, isFindable: false })
    change.write(currentStateAdded, { room: ROOM, pos, state: root })
    await commit(change)
  }
  await commit.finish()
  return { root, size: keys.size, rawBytes, nodeBytes, wallMs: performance.now() - started, makingMs }
}

/** As many commits as the replay makes, of a log entry each; answers how long they took. */
async function commitLogOnly(db: Database): Promise<number> {
  await using committer = committerOf(db)
  const commit = steadily(committer)
  return await timed(async () => {
    for (let event = 1; event <= CHANGES; event++) {
      const change = new Change()
      change.log({ kind: LOG_KIND.event, room: BASELINE_ROOM, item: roomKey(BASELINE_ROOM, event) })
      await commit(change)
    }
    await commit.finish()
  })
}

/** Commits while one batch is on its way and the next collects; waits where more would pile up. */
function steadily(
  committer: Committer,
): ((change: Change) => Promise<void>) & { readonly finish: () => Promise<void> } {
  let flying: Promise<unknown>[] = []
  let filling: Promise<unknown>[] = []
  const commit = async (change: Change) => {
    filling.push(committer.commit(change))
    if (filling.length < IN_FLIGHT) return
    await Promise.all(flying)
    flying = filling
    filling = []
  }
  const finish = async () => {
    await Promise.all([...flying, ...filling])
  }
  return Object.assign(commit, { finish })
}

const userIdOf = (member: number): string => `@member${member}:server${member % 400}.example.org`

/** Bytes of a membership event as federation sends it. */
function membershipBytes(member: number, event: number): number {
  const id = 'x'.repeat(44)
  const json = {
    auth_events: [id, id, id, id],
    content: {
      avatar_url: `mxc://server${member % 400}.example.org/${'x'.repeat(24)}`,
      displayname: `Member ${member} of the room`,
      membership: 'join',
    },
    depth: event,
    hashes: { sha256: 'x'.repeat(43) },
    origin_server_ts: 1_790_000_000_000 + event,
    prev_events: [id, id],
    room_id: '!xxxxxxxxxxxxxxxxxx:server1.example.org',
    sender: userIdOf(member),
    signatures: { [`server${member % 400}.example.org`]: { 'ed25519:a_AbCd': 'x'.repeat(86) } },
    state_key: userIdOf(member),
    type: 'm.room.member',
    unsigned: { age: 12_345, replaces_state: id },
  }
  return JSON.stringify(json).length
}

const loadAll = (db: Database, root: number): Promise<Uint32Array> =>
  complete(
    { room: ROOM, row: () => undefined },
    (states) => stateRows(db, ROOM, states),
    (rows) => entries(rows, root, MEMBERS),
  )

/** Two states that differ in ten entries; answers their numbers. */
async function writeLargeStates(db: Database): Promise<[number, number]> {
  const made = new Map<number, Uint8Array>()
  let next = 1
  const one = build(
    OTHER_ROOM,
    Array.from({ length: LARGE }, (_, key) => [key, key + 1] as const),
    () => next++,
  )
  for (const { state, nodes } of one.rows) made.set(state, nodes)
  const changes = Array.from({ length: 10 }, (_, n) => [n * 4999 + 7, LARGE + n + 1] as const)
  const rows = { room: OTHER_ROOM, row: (state: number) => made.get(state) }
  const other = setMany(rows, one.root, changes, () => next++) as NewState
  await using committer = committerOf(db)
  const change = new Change()
  for (const state of [one, other]) {
    writeState(change, { room: OTHER_ROOM, state, fingerprint: new Uint8Array(16), isFindable: false })
  }
  await committer.commit(change)
  return [one.root, other.root]
}

async function compareLarge(
  db: Database,
  [one, other]: readonly [number, number],
  read: Map<number, Uint8Array>,
): Promise<void> {
  const load = async (states: readonly number[]) => {
    const found = await stateRows(db, OTHER_ROOM, states)
    for (const [state, row] of found) read.set(state, row)
    return found
  }
  const found = await complete({ room: OTHER_ROOM, row: () => undefined }, load, (rows) => difference(rows, one, other))
  if (found.length !== 10) throw new Error(`the states differ in ${found.length} entries, not in 10`)
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

async function median(runs: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < runs; run++) times.push(await timed(work))
  return middle(times)
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

/** Asks the system to forget what it has cached of the files. */
function dropFileCache(folder: string): void {
  spawnSync('sync')
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    // A process for each of the thousand small files of an empty PostgreSQL would take longer than all else.
    if (!entry.isFile() || statSync(path).size < 100_000) continue
    spawnSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none'])
  }
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

if (import.meta.main) {
  for (const { name, value, unit } of await stateReplay()) stdout.write(`${name}: ${value} ${unit}\n`)
}
