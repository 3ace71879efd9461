import assert from 'node:assert/strict'
import { sync } from '#api/client/sync.ts'
import { Change } from '#storage/change.ts'
import { integer, row } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { membershipChanged } from '#storage/stores/memberships.ts'
import { userAdded } from '#storage/stores/users.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'

const MEMBERS = 10_000
const COUNT = row({ count: integer() })

eachHomeserver(
  'a message in a room of 10,000 local members writes a bounded number of rows',
  async ({ register, services }) => {
    const alice = await register('alice')
    const bob = await register('bob')
    const roomId = await roomOf([alice, bob])
    const view = await services.views.byId(roomId)
    assert.ok(view)
    for (let at = 0; at < MEMBERS; at += 500) {
      const changes = Array.from({ length: 500 }, (_, n) => {
        const user = 1_000_000 + at + n
        return new Change()
          .write(userAdded, { user, userId: `@m${user}:example.org`, isLocal: true })
          .write(membershipChanged, {
            room: view.room,
            user,
            membership: 'join',
            event: 1,
            pos: 0,
            sincePos: 0,
            isForgotten: false,
          } as never)
      })
      // Rows by hand have no entry in the log: their positions are of no interest here.
      for (const change of changes) change.log({ kind: 9, user: 1 })
      await Promise.all(changes.map(services.commit))
    }
    services.memberships.dropRoom(view.room)
    const room = await services.rooms.byId(roomId)
    if (room !== undefined) services.rooms.drop(room)
    const count = async () => {
      const tables = await Promise.all([
        services.db.get(COUNT, sql`SELECT count(*) AS count FROM log`),
        services.db.get(COUNT, sql`SELECT count(*) AS count FROM events`),
        services.db.get(COUNT, sql`SELECT count(*) AS count FROM unread_marks`),
        services.db.get(COUNT, sql`SELECT count(*) AS count FROM transactions`),
      ])
      return tables.reduce((total, found) => total + (found?.count ?? 0), 0)
    }
    const before = await count()
    await say(alice, roomId, 'hello all')
    await say(alice, roomId, 'you too', { 'm.mentions': { user_ids: [bob.userId], room: true } })
    assert.ok((await count()) - before <= 2 * 4)
    const seen = (await bob.call(sync)).rooms?.join?.[roomId]
    assert.equal(seen?.summary?.['m.joined_member_count'], MEMBERS + 2)
    assert.deepEqual(seen?.unread_notifications, { notification_count: 2, highlight_count: 1 })
  },
)
