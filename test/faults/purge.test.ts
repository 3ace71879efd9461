import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { sync } from '#api/client/sync.ts'
import { busyRoom } from '#test/helpers/busy-room.ts'
import { TestClient } from '#test/helpers/client.ts'
import { say } from '#test/helpers/rooms.ts'
import { ServerProcess } from '#test/helpers/server-process.ts'
import { type Peek, tableCounts, withClient } from '#test/helpers/table-counts.ts'

const ROUNDS = 3
/** After so long what a dead process had begun is taken by another one. */
const LEASE_MS = 61_000
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** How many events there are, and how many purges have come to their end. */
async function progress(at: Peek): Promise<{ readonly events: number; readonly done: number }> {
  const query = `SELECT (SELECT count(*) FROM events) AS events,
    (SELECT count(*) FROM tasks WHERE name = 'purge_room' AND status = 'done') AS done`
  if ('file' in at) {
    using db = new DatabaseSync(at.file, { readOnly: true })
    const row = db.prepare(query).get()
    return { events: Number(row?.['events']), done: Number(row?.['done']) }
  }
  const row = await withClient(at.client, async (client) => (await client.query(query)).rows[0])
  return { events: Number(row.events), done: Number(row.done) }
}

for (const kind of ['sqlite', 'postgres'] as const) {
  test(`a server killed while it purges a room purges the rest of it when it is back (${kind})`, async (t) => {
    await using server = await ServerProcess.start(kind)
    const client = () => new TestClient({ url: () => server.url, serverName: 'process.example' })
    const [alice, bob] = [
      await client().registerBySecret('alice', { secret: server.secret, admin: false }),
      await client().registerBySecret('bob', { secret: server.secret, admin: false }),
    ]
    const kept = await busyRoom(alice, bob, 50)
    const before = await tableCounts(server.peek)
    let halves = 0
    for (let round = 1; round <= ROUNDS; round++) {
      const roomId = await busyRoom(alice, bob, 1_500)
      const { events } = await progress(server.peek)
      server.purge(roomId)
      while ((await progress(server.peek)).events === events);
      if (round === ROUNDS) await pause(Math.random() * 10)
      await server.kill()
      const left = (await progress(server.peek)).events - (before['events'] ?? 0)
      if (left > 0) halves++
      await server.launch(round * LEASE_MS)
      while ((await progress(server.peek)).done < round) await pause(20)
      const { log: _, ...counts } = await tableCounts(server.peek)
      const { log: __, ...expected } = before
      assert.deepEqual(counts, expected)
    }
    assert.ok(halves > 0, 'it was killed in the middle')
    await say(alice, kept, 'all is well here')
    assert.deepEqual(Object.keys((await bob.call(sync)).rooms?.join ?? {}), [kept])
    t.diagnostic(`killed in the middle ${halves} times of ${ROUNDS}`)
  })
}
