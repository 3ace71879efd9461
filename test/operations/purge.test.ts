import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type pg from 'pg'
import { createRoom } from '#api/client/create-room.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { sync } from '#api/client/sync.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { auditEntries } from '#storage/stores/audit.ts'
import { taskState } from '#storage/stores/tasks.ts'
import { busyRoom } from '#test/helpers/busy-room.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver, type Place, places, startHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'
import { type Peek, tableCounts, withClient } from '#test/helpers/table-counts.ts'

const purged = async ({ services }: TestHomeserver, roomId: RoomId, isForced = false) => {
  const task = await services.roomPurges.purgeRoom(roomId, { isForced })
  await services.taskRunner.settled()
  const state = await taskState(services.db, task)
  assert.deepEqual([state?.status, state?.error], ['done', undefined])
}

const peek = ({ kind, folder, database }: Place): Peek =>
  kind === 'SQLite'
    ? { file: join(folder, 'homeserver.db') }
    : { client: JSON.parse(/args: (\{.*\}) \}$/.exec(database)?.[1] ?? '{}') }
const counts = (place: Place) => tableCounts(peek(place))

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
    else {
      // Its pages are free; the file keeps them for what comes.
      const left = (await bytesOf(place, homeserver)) - (await freeBytes(homeserver))
      assert.ok(left - empty < (full - empty) * 0.1, `${left - empty} of ${full - empty} bytes are still in use`)
    }
    await busyRoom(alice, bob, 1_500)
    const again = await bytesOf(place, homeserver)
    const grown = full - empty
    // What tells of the past (commits, transactions of the purge) has grown a little.
    assert.ok(again - full < grown * 0.1, `${grown} bytes for the first room, ${again - full} more for the second`)
  })
}

/** What autovacuum does now and then: dead rows become free space. */
const vacuumed = (place: Place): Promise<unknown> => onPostgres(place, (client) => client.query('VACUUM'))

const onPostgres = <T>(place: Place, use: (client: pg.Client) => Promise<T>): Promise<T> => {
  const at = peek(place)
  if (!('client' in at)) throw new Error('this is no PostgreSQL')
  return withClient(at.client, use)
}

/** Bytes of the file; of the tables on PostgreSQL, where pages of indexes come free a vacuum or two later. */
async function bytesOf(place: Place, homeserver: TestHomeserver): Promise<number> {
  if (place.kind !== 'SQLite')
    return onPostgres(place, async (client) => {
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

const freeBytes = async ({ services }: TestHomeserver): Promise<number> => {
  const FREE = row({ bytes: integer() })
  const free = await services.db.get(
    FREE,
    sql`SELECT (SELECT freelist_count FROM pragma_freelist_count) * (SELECT page_size FROM pragma_page_size) AS bytes`,
  )
  return free?.bytes ?? 0
}

eachHomeserver('a room that users of this server are in is purged only by force', async (homeserver) => {
  const { services } = homeserver
  const alice = await homeserver.register('alice')
  const roomId = (await alice.call(createRoom, { body: {} })).room_id as RoomId
  await assert.rejects(services.roomPurges.purgeRoom(roomId), /are in the room/)
  await assert.rejects(services.roomPurges.purgeRoom('!other:example.org' as RoomId), /no such room/)
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

eachHomeserver('a purge that an administrator asks for is written down with the task', async (homeserver) => {
  const alice = await homeserver.register('alice', { admin: true })
  const roomId = (await roomOf([alice])) as RoomId
  const { services } = homeserver
  const actor = (await services.accounts.find(alice.userId as never))?.user
  await services.roomPurges.purgeRoom(roomId, { isForced: true, by: { actor } })
  const [entry] = await auditEntries(services.db, { limit: 1 })
  assert.deepEqual(
    [entry?.actor, entry?.action, entry?.subject, JSON.parse(entry?.detail ?? '')],
    [actor, 'purge_room', roomId, { isForced: true }],
  )
})

eachHomeserver('a purge that a stop interrupts goes on after the next start', async (homeserver) => {
  const alice = await homeserver.register('alice')
  const bob = await homeserver.register('bob')
  const roomId = await busyRoom(alice, bob, 1_200)
  const room = (await homeserver.services.rooms.byId(roomId))?.room ?? 0
  const task = await homeserver.services.roomPurges.purgeRoom(roomId, { isForced: true })
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
