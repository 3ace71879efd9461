import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import pg from 'pg'
import { createRoom } from '#api/client/create-room.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { sync } from '#api/client/sync.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { taskState } from '#storage/stores/tasks.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver, type Place, places, startHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, send, setState } from '#test/helpers/rooms.ts'

/** A room with something of everything in it. */
async function busyRoom(alice: TestClient, bob: TestClient, messages: number): Promise<RoomId> {
  const alias = `room${Math.random().toString(36).slice(2)}`
  const roomId = await roomOf([alice, bob], { room_alias_name: alias, preset: 'public_chat' })
  const root = await say(alice, roomId, 'root')
  await say(bob, roomId, 'in a thread', { 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  await say(bob, roomId, 'mention', { 'm.mentions': { user_ids: [alice.userId] } })
  await send(alice, roomId, 'm.room.redaction', { redacts: root })
  for (let at = 0; at < messages; at += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, messages - at) }, (_, n) =>
        n % 5 === 0
          ? setState(alice, roomId, { type: 'm.test', stateKey: `${n}`, content: { at } })
          : say(n % 2 ? alice : bob, roomId, `${at + n} ${'x'.repeat(500)}`),
      ),
    )
  return roomId as RoomId
}

const purged = async ({ services }: TestHomeserver, roomId: RoomId, isForced = false) => {
  const task = await services.roomPurges.purge(roomId, { isForced })
  await services.taskRunner.settled()
  const state = await taskState(services.db, task)
  assert.deepEqual([state?.status, state?.error], ['done', undefined])
}

/** Rows by table, but of those that tell of the past of the deployment. */
async function counts(place: Place): Promise<Record<string, number>> {
  const found = new Map<string, number>()
  const count = async (tables: readonly string[], countOf: (table: string) => Promise<number>) => {
    for (const table of tables)
      if (!['commits', 'tasks', 'transactions'].includes(table)) found.set(table, await countOf(table))
  }
  if (place.kind === 'SQLite') {
    const db = new DatabaseSync(join(place.folder, 'homeserver.db'), { readOnly: true })
    const tables = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all()
    await count(
      tables.map(({ name }) => String(name)),
      async (table) => Number(db.prepare(`SELECT count(*) AS n FROM "${table}"`).get()?.['n']),
    )
    db.close()
  } else {
    await withClient(place, async (client) => {
      const { rows } = await client.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
      await count(
        rows.map(({ tablename }) => String(tablename)),
        async (table) => Number((await client.query(`SELECT count(*) AS n FROM "${table}"`)).rows[0].n),
      )
    })
  }
  return Object.fromEntries([...found].sort())
}

async function withClient<T>(place: Place, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const args = JSON.parse(/args: (\{.*\}) \}$/.exec(place.database)?.[1] ?? '{}')
  const client = new pg.Client(args)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

for (const [kind, open] of places()) {
  const skip = open === undefined ? 'no PostgreSQL: run it by npm test' : false
  test(`of a room that was purged no row is left (${kind})`, { skip }, async () => {
    if (open === undefined) return
    await using place = await open()
    await using homeserver = await startHomeserver(place)
    const alice = await homeserver.register('alice')
    const bob = await homeserver.register('bob')
    const kept = await busyRoom(alice, bob, 50)
    const before = await counts(place)
    const roomId = await busyRoom(alice, bob, 700)
    await purged(homeserver, roomId, true)
    // The log says that it was purged.
    assert.deepEqual(await counts(place), { ...before, log: (before['log'] ?? 0) + 1 })
    await say(alice, kept, 'all is well here')
    const rooms = (await bob.call(sync)).rooms?.join ?? {}
    assert.deepEqual(Object.keys(rooms), [kept])
    const again = await alice.refused(joinRoomById, { params: { roomId } })
    assert.ok(again.status === 403 || again.status === 404)
  })

  test(`a room purged gives its bytes back: another one finds place in them (${kind})`, { skip }, async () => {
    if (open === undefined) return
    await using place = await open()
    await using homeserver = await startHomeserver(place)
    const alice = await homeserver.register('alice')
    const bob = await homeserver.register('bob')
    await busyRoom(alice, bob, 20)
    const empty = await bytesOf(place, homeserver)
    const first = await busyRoom(alice, bob, 1_500)
    const full = await bytesOf(place, homeserver)
    await purged(homeserver, first, true)
    if (place.kind === 'PostgreSQL') await vacuumed(place)
    await busyRoom(alice, bob, 1_500)
    const again = await bytesOf(place, homeserver)
    const grown = full - empty
    // What tells of the past (commits, transactions of the purge) has grown a little.
    assert.ok(again - full < grown * 0.1, `${grown} bytes for the first room, ${again - full} more for the second`)
  })
}

/** What autovacuum does now and then: dead rows become free space. */
const vacuumed = (place: Place): Promise<unknown> => withClient(place, (client) => client.query('VACUUM'))

/** Bytes of the file; of the tables on PostgreSQL, where pages of indexes come free a vacuum or two later. */
async function bytesOf(place: Place, homeserver: TestHomeserver): Promise<number> {
  if (place.kind !== 'SQLite')
    return withClient(place, async (client) => {
      const { rows } = await client.query(
        "SELECT sum(pg_relation_size(oid)) AS bytes FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
      )
      return Number(rows[0].bytes)
    })
  const PAGES = row({ bytes: integer() })
  const used = await homeserver.services.db.get(
    PAGES,
    sql`SELECT (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) AS bytes`,
  )
  return used?.bytes ?? 0
}

eachHomeserver('a room that users of this server are in is purged only by force', async (homeserver) => {
  const { services } = homeserver
  const alice = await homeserver.register('alice')
  const roomId = (await alice.call(createRoom, { body: {} })).room_id as RoomId
  await assert.rejects(services.roomPurges.purge(roomId), /are in the room/)
  await assert.rejects(services.roomPurges.purge('!other:example.org' as RoomId), /no such room/)
  await alice.call(leaveRoom, { params: { roomId }, body: {} })
  await purged(homeserver, roomId)
  assert.equal(await services.rooms.byId(roomId), undefined)
})

eachHomeserver('who talks in a room while it is purged is refused, and nothing else goes wrong', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const roomId = await busyRoom(alice, bob, 300)
  const since = (await bob.call(sync)).next_batch
  let isDone = false
  const statuses: number[] = []
  const talk = async (client: TestClient) => {
    while (!isDone) {
      try {
        await say(client, roomId, 'still here')
        statuses.push(200)
      } catch (error) {
        statuses.push((error as { status: number }).status)
      }
    }
  }
  const look = async () => {
    while (!isDone) await bob.call(sync, { query: { since } })
  }
  const talking = [talk(alice), talk(bob), look()]
  await purged(homeserver, roomId, true)
  isDone = true
  await Promise.all(talking)
  assert.ok(
    statuses.every((status) => status === 200 || status === 403),
    `${new Set(statuses)}`,
  )
  assert.ok(statuses.includes(403))
})

eachHomeserver('a purge that a stop interrupts goes on after the next start', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const roomId = await busyRoom(alice, bob, 1_200)
  const room = (await homeserver.services.rooms.byId(roomId))?.room ?? 0
  const task = await homeserver.services.roomPurges.purge(roomId, { isForced: true })
  while (homeserver.services.taskRunner.runningCount === 0) await new Promise(setImmediate)
  await homeserver.restart()
  await homeserver.services.taskRunner.settled()
  assert.equal((await taskState(homeserver.services.db, task))?.status, 'done')
  const COUNT = row({ count: integer() })
  const left = await homeserver.services.db.get(
    COUNT,
    sql`SELECT count(*) AS count FROM event_json WHERE event >= ${room * 2 ** 28} AND event < ${(room + 1) * 2 ** 28}`,
  )
  assert.equal(left?.count, 0)
})
