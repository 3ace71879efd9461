import assert from 'node:assert/strict'
import { env, kill } from 'node:process'
import { type TestContext, test } from 'node:test'
import { onPostgres } from '#test/helpers/port.ts'
import { ServerProcess } from '#test/helpers/server-process.ts'
import { QUICK } from '#test/helpers/watched-database.ts'
import { Load } from './load.ts'

const ROUNDS = Number(env['MYELIN_FAULT_ROUNDS'] ?? 30)
const FREEZES = Math.min(ROUNDS, 8)
const WRITERS = 6
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

for (const kind of ['sqlite', 'postgres'] as const) {
  test(`${ROUNDS} kills under load lose nothing that was acknowledged (${kind})`, { timeout: 900_000 }, async (t) => {
    await using server = await ServerProcess.start(kind)
    const load = new Load(server)
    await load.start({ writers: WRITERS, readers: 3 })
    for (let round = 0; round < ROUNDS; round++) {
      await pause(100 + Math.random() * 500)
      await server.kill()
      const given = load.highestPosition
      await server.launch()
      assert.ok(server.startPosition >= given, 'no position that was given is given again')
    }
    await pause(300)
    assert.ok((await conclude(load, t)) > ROUNDS * 6)
  })
}

test('PostgreSQL stopped and started under load: clear errors meanwhile, and everything goes on', {
  timeout: 300_000,
}, async (t) => {
  await using server = await ServerProcess.start('postgres')
  const load = new Load(server)
  await load.start({ writers: WRITERS, readers: 3 })
  for (let round = 0; round < 5; round++) {
    await pause(400)
    const before = load.acknowledged.length
    if (round % 2 === 0) {
      await server.postgres?.stop()
      await pause(500)
      await server.postgres?.start()
    } else await server.postgres?.crash()
    await goesOn(load, before)
  }
  // Writing waits for a short absence to end. In a longer one nobody waits in vain.
  await server.postgres?.stop()
  const before = load.acknowledged.length
  await tellsError(load, 40_000)
  await server.postgres?.start()
  await goesOn(load, before)
  await conclude(load, t)
})

test('PostgreSQL frozen under load: clear errors meanwhile, and everything goes on', {
  timeout: 300_000,
}, async (t) => {
  await using server = await ServerProcess.start('postgres', [], '', QUICK)
  const load = new Load(server)
  await load.start({ writers: WRITERS, readers: 3 })
  for (let round = 0; round < FREEZES; round++) {
    await pause(300 + Math.random() * 300)
    const rows = await onPostgres(server.postgres?.uri ?? '', 'SELECT pid FROM pg_stat_activity')
    const frozen = [server.postgres?.pid ?? 0, ...rows.map(({ pid }) => Number(pid))]
    signal(frozen, 'SIGSTOP')
    const before = load.acknowledged.length
    await tellsError(load, 10_000)
    signal(frozen, 'SIGCONT')
    await goesOn(load, before)
  }
  await conclude(load, t)
})

/** Holds what was seen against what was acknowledged, tells the figures, and resolves to how many were acknowledged. */
async function conclude(load: Load, t: TestContext): Promise<number> {
  await load.finish()
  const figures = await load.check()
  load.close()
  onlyPassing(load)
  t.diagnostic(`${figures.acknowledged} acknowledged, ${figures.seen} seen, errors ${JSON.stringify([...load.errors])}`)
  return figures.acknowledged
}

/** Writers are acknowledged again. */
async function goesOn(load: Load, before: number): Promise<void> {
  for (let tries = 0; load.acknowledged.length <= before; tries++) {
    assert.ok(tries < 300, 'it goes on by itself')
    await pause(100)
  }
}

/** Writers, who wait longest, are told that it is unavailable. */
async function tellsError(load: Load, withinMs: number): Promise<void> {
  const told = () => load.errors.get('503 M_UNKNOWN') ?? 0
  const before = told()
  for (let ms = 0; told() - before < WRITERS; ms += 100) {
    assert.ok(ms < withinMs, 'an error is told')
    await pause(100)
  }
}

/** Nobody was told anything but to come again. */
function onlyPassing(load: Load): void {
  for (const code of load.errors.keys()) assert.match(code, /^(503 M_UNKNOWN|429 M_LIMIT_EXCEEDED)$/)
}

function signal(pids: readonly number[], name: 'SIGSTOP' | 'SIGCONT'): void {
  for (const pid of pids) {
    try {
      kill(pid, name)
    } catch {
      // It has ended meanwhile.
    }
  }
}
