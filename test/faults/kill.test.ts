import assert from 'node:assert/strict'
import { env } from 'node:process'
import { test } from 'node:test'
import { ServerProcess } from '#test/helpers/server-process.ts'
import { Load } from './load.ts'

const ROUNDS = Number(env['MYELIN_FAULT_ROUNDS'] ?? 30)
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

for (const kind of ['sqlite', 'postgres'] as const) {
  test(`${ROUNDS} kills under load lose nothing that was acknowledged (${kind})`, { timeout: 900_000 }, async (t) => {
    await using server = await ServerProcess.start(kind)
    const load = new Load(server)
    await load.start({ writers: 6, readers: 3 })
    for (let round = 0; round < ROUNDS; round++) {
      await pause(100 + Math.random() * 500)
      await server.kill()
      const given = load.highestPosition
      await server.launch()
      assert.ok(server.startPosition >= given, 'no position that was given is given again')
    }
    await pause(300)
    await load.finish()
    const figures = await load.check()
    load.close()
    assert.ok(figures.acknowledged > ROUNDS * 6)
    t.diagnostic(
      `${figures.acknowledged} acknowledged, ${figures.seen} seen, errors ${JSON.stringify([...load.errors])}`,
    )
  })
}

test('PostgreSQL stopped and started under load: clear errors meanwhile, and everything goes on', {
  timeout: 300_000,
}, async (t) => {
  await using server = await ServerProcess.start('postgres')
  const load = new Load(server)
  await load.start({ writers: 6, readers: 3 })
  for (let round = 0; round < 5; round++) {
    await pause(400)
    const before = load.acknowledged.length
    if (round % 2 === 0) {
      await server.postgres?.stop()
      await pause(500)
      await server.postgres?.start()
    } else await server.postgres?.crash()
    await pause(1_500)
    assert.ok(load.acknowledged.length > before, 'it goes on by itself')
  }
  await load.finish()
  const figures = await load.check()
  load.close()
  for (const code of load.errors.keys()) assert.match(code, /^(503 M_UNKNOWN|429 M_LIMIT_EXCEEDED)$/)
  t.diagnostic(`${figures.acknowledged} acknowledged, ${figures.seen} seen, errors ${JSON.stringify([...load.errors])}`)
})
