import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { stderr } from 'node:process'
import { Waiters } from '#services/sync/waiters.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import { Committer } from '#storage/commit.ts'
import type { Database } from '#storage/database.ts'
import { openPostgres } from '#storage/postgres/open.ts'
import { openSqlite } from '#storage/sqlite/open.ts'
import { OPERATIONS } from '#storage/stores/all.ts'
import { userAdded, userById } from '#storage/stores/users.ts'
import { parametersOf } from '#storage/testing/each-database.ts'
import { decodeText, encodeText } from '#storage/text.ts'
import { printToken, readToken } from '#streams/token.ts'
import { startPostgres } from '#test/helpers/postgres-server.ts'
import { systemClock } from '#util/clock.ts'

// node tools/bench/parts.ts > /dev/null: what parts of the engine cost by themselves, for docs/decisions. Medians of five.

const say = (name: string, value: number, unit: string) =>
  stderr.write(`${name}: ${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${unit}\n`)
const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Microseconds of a call. */
function perCall(call: () => unknown, times = 200_000): number {
  const runs = Array.from({ length: 5 }, () => {
    const from = performance.now()
    for (let at = 0; at < times; at++) call()
    return ((performance.now() - from) * 1000) / times
  })
  return median(runs)
}

/** Milliseconds until `act` is done, as the middle of several times. */
async function took(times: number, act: (time: number) => Promise<unknown>): Promise<number> {
  const all: number[] = []
  for (let time = 0; time < times; time++) {
    const from = performance.now()
    await act(time)
    all.push(performance.now() - from)
  }
  return median(all)
}

function texts(): void {
  const name = "Grace Hopper's telephone at work"
  const hostile = 'a\0b\uD800c'.repeat(6)
  const stored = encodeText(hostile)
  say('encode a name of 32 letters', perCall(() => encodeText(name)) * 1000, 'ns')
  say('decode it', perCall(() => decodeText(name)) * 1000, 'ns')
  say('encode 30 characters, 12 to escape', perCall(() => encodeText(hostile)) * 1000, 'ns')
  say('decode them', perCall(() => decodeText(stored)) * 1000, 'ns')
  const token = {
    incarnation: 817_263_545_123,
    position: 18_273_645,
    toDevice: 172,
    stamp: { boot: 'k3j2h1g9', count: 71 },
    place: undefined,
  }
  const printed = printToken(token)
  say('print a token', perCall(() => printToken(token)) * 1000, 'ns')
  say('read it', perCall(() => readToken(printed)) * 1000, 'ns')
}

let user = 1
const newUser = (taken = user++) =>
  new Change().write(userAdded, { user: taken, userId: `@u${taken}:example.org`, isLocal: true })

async function commits(kind: string, database: Database): Promise<void> {
  const { commit } = new Committer({ database, operations: OPERATIONS, randomBytes, onCommitted: () => {} })
  const logged = (change: Change) => {
    change.log({ kind: LOG_KIND.profile, user: 1 })
    return change
  }
  await took(50, () => commit(logged(newUser())))
  say(`${kind}: a change alone`, await took(300, () => commit(logged(newUser()))), 'ms')
  const together = (count: number) => () => Promise.all(Array.from({ length: count }, () => commit(logged(newUser()))))
  say(`${kind}: 200 at once, all of them`, await took(40, together(200)), 'ms')
  const culprit = () =>
    Promise.allSettled([...Array.from({ length: 199 }, () => commit(logged(newUser()))), commit(newUser(1))])
  say(`${kind}: 199 with one whose SQL errs, all of them`, await took(20, culprit), 'ms')
  const reads = await took(5, async () => {
    for (let at = 1; at <= 2_000; at++) await userById(database, `@u${at}:example.org`)
  })
  say(`${kind}: a row by its key, one after the other`, (reads / 2_000) * 1000, 'µs')
  const many = () => Promise.all(Array.from({ length: 100 }, (_, at) => userById(database, `@u${at + 1}:example.org`)))
  say(`${kind}: the same, 100 at once`, ((await took(50, many)) / 100) * 1000, 'µs')
}

/** Milliseconds until the waiting members of a room are woken. */
async function wake(waiting: number, members: number): Promise<number> {
  const room = new Map(Array.from({ length: members }, (_, at) => [at + 1, 'join']))
  // Of the index of memberships the waiters ask only this, as long as the room is in memory.
  const memberships = { peekRoom: () => room } as never
  const waiters = new Waiters({ memberships, clock: { now: () => 0, after: () => () => {} } })
  const waits = Array.from({ length: waiting }, (_, at) => waiters.wait(at + 1, 1_000))
  const from = performance.now()
  waiters.committed([{ kind: LOG_KIND.event, room: 1, pos: 1 }])
  await Promise.all(waits.slice(0, members).map(({ ended }) => ended))
  return performance.now() - from
}

async function wakes(): Promise<void> {
  for (const [waiting, members] of [
    [10_000, 10_000],
    [100, 10_000],
    [10_000, 2],
  ] as const) {
    const times: number[] = []
    for (let run = 0; run < 9; run++) times.push(await wake(waiting, members))
    say(`wake a room of ${members} members while ${waiting} devices wait`, median(times), 'ms')
  }
}

texts()
await wakes()
const folder = mkdtempSync(join(tmpdir(), 'myelin-parts-'))
const opening = { serverName: 'example.org', randomBytes, clock: systemClock }
for (const synchronous of ['FULL', 'NORMAL', 'OFF'] as const) {
  await using database = openSqlite({ ...opening, path: join(folder, `${synchronous}.db`), synchronous })
  user = 1
  await commits(`SQLite ${synchronous}`, database)
}
rmSync(folder, { recursive: true })
for (const age of ['newest', 'oldest'] as const) {
  const from = performance.now()
  await using server = await startPostgres(age, { durable: true })
  say(`start an embedded PostgreSQL (${age})`, performance.now() - from, 'ms')
  if (age === 'oldest') continue
  await using database = await openPostgres({ ...opening, parameters: parametersOf(server.uri) })
  user = 1
  await commits('PostgreSQL', database)
}
