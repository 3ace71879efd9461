import assert from 'node:assert/strict'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { forgetRoom, leaveRoom } from '#api/client/leaving.ts'
import { login } from '#api/client/login.ts'
import { logout } from '#api/client/logout.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { deleteProfileField, setProfileField } from '#api/client/profile.ts'
import { register } from '#api/client/registration.ts'
import { sync } from '#api/client/sync.ts'
import { scheduleCollection } from '#services/rooms/collect-states.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import { roomKey } from '#storage/room-key.ts'
import { integer, row, text } from '#storage/row.ts'
import { sql } from '#storage/sql.ts'
import { eventsPurged } from '#storage/stores/purge.ts'
import { currentStateRemoved } from '#storage/stores/states.ts'
import { eachHomeserver, type TestHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say, send, setState } from '#test/helpers/rooms.ts'
import { ManualClock } from '#util/manual-clock.testing.ts'

const DAY_MS = 86_400_000
const COUNT = row({ count: integer() })
const JSON_OF = row({ json: text() })

const count = async (
  { services }: TestHomeserver,
  table:
    | 'transactions'
    | 'commits'
    | 'states'
    | 'current_states'
    | 'tasks'
    | 'access_tokens'
    | 'log'
    | 'login_tokens'
    | 'interactive_auths',
) => {
  const queries = {
    transactions: sql`SELECT count(*) AS count FROM transactions`,
    commits: sql`SELECT count(*) AS count FROM commits`,
    states: sql`SELECT count(*) AS count FROM states`,
    current_states: sql`SELECT count(*) AS count FROM current_states`,
    tasks: sql`SELECT count(*) AS count FROM tasks`,
    access_tokens: sql`SELECT count(*) AS count FROM access_tokens`,
    log: sql`SELECT count(*) AS count FROM log`,
    login_tokens: sql`SELECT count(*) AS count FROM login_tokens`,
    interactive_auths: sql`SELECT count(*) AS count FROM interactive_auths`,
  }
  return (await services.db.get(COUNT, queries[table]))?.count ?? 0
}

/** A server whose time stands still until the test moves it. */
const withClock = (
  name: string,
  body: (homeserver: TestHomeserver, clock: ManualClock) => Promise<void>,
  config = '',
) => {
  const clock = new ManualClock()
  eachHomeserver(name, (homeserver) => body(homeserver, clock), { clock, config })
}

const pass = async ({ services }: TestHomeserver, clock: ManualClock, ms: number) => {
  for (let left = ms; left > 0; left -= DAY_MS) {
    clock.advance(Math.min(left, DAY_MS))
    await services.taskRunner.settled()
  }
}

withClock(
  'the content of a redacted event is removed from the database when its time has come',
  async (homeserver, clock) => {
    const { services } = homeserver
    const alice = await homeserver.register('alice')
    const roomId = await roomOf([alice])
    const secret = await say(alice, roomId, 'the secret word')
    const jsonOf = async () =>
      (
        await services.db.get(
          JSON_OF,
          sql`SELECT j.json FROM event_json AS j JOIN events AS e ON e.event = j.event WHERE e.event_id = ${secret}`,
        )
      )?.json ?? ''
    await send(alice, roomId, 'm.room.redaction', { redacts: secret })
    await pass(homeserver, clock, 6 * DAY_MS)
    assert.match(await jsonOf(), /the secret word/)
    await homeserver.restart()
    await pass(homeserver, clock, DAY_MS)
    const left =
      (
        await homeserver.services.db.get(
          JSON_OF,
          sql`SELECT j.json FROM event_json AS j JOIN events AS e ON e.event = j.event WHERE e.event_id = ${secret}`,
        )
      )?.json ?? ''
    assert.doesNotMatch(left, /secret word/)
    assert.match(left, /"content":\{\}.*"hashes".*"signatures"/)
    const { chunk } = await alice.call(getRoomEvents, { params: { roomId }, query: { dir: 'b' } })
    assert.deepEqual(chunk.find(({ event_id }) => event_id === secret)?.content, {})
  },
)

withClock(
  'without a period the content of redacted events is kept',
  async (homeserver, clock) => {
    const alice = await homeserver.register('alice')
    const roomId = await roomOf([alice])
    await send(alice, roomId, 'm.room.redaction', { redacts: await say(alice, roomId, 'a') })
    assert.equal(
      (
        await homeserver.services.db.all(
          JSON_OF,
          sql`SELECT name AS json FROM tasks WHERE name = 'prune_redacted_event'`,
        )
      ).length,
      0,
    )
    await pass(homeserver, clock, DAY_MS)
  },
  'redaction_retention_period: null',
)

withClock('transaction IDs and the books of batches are forgotten, and nothing younger', async (homeserver, clock) => {
  const alice = await homeserver.register('alice')
  const roomId = await roomOf([alice])
  for (let n = 0; n < 12; n++) await Promise.all(Array.from({ length: 50 }, () => say(alice, roomId, 'x')))
  assert.equal(await count(homeserver, 'transactions'), 600)
  clock.advance(DAY_MS / 2)
  await say(alice, roomId, 'later')
  await pass(homeserver, clock, DAY_MS / 2 - 1)
  assert.equal(await count(homeserver, 'transactions'), 601)
  await pass(homeserver, clock, 3_700_000)
  assert.equal(await count(homeserver, 'transactions'), 1)
  if ((await count(homeserver, 'commits')) > 0) {
    const old = sql`SELECT count(*) AS count FROM commits WHERE written_ts < ${clock.now() - DAY_MS / 3}`
    assert.equal((await homeserver.services.db.get(COUNT, old))?.count, 0)
  }
})

withClock(
  'sessions that are long over go with their tokens',
  async (homeserver, clock) => {
    const alice = await homeserver.register('alice')
    await pass(homeserver, clock, 2 * DAY_MS)
    assert.equal(await count(homeserver, 'access_tokens'), 1)
    await pass(homeserver, clock, 100 * DAY_MS)
    assert.equal((await alice.refused(sync)).errcode, 'M_UNKNOWN_TOKEN')
    assert.equal(await count(homeserver, 'access_tokens'), 0)
  },
  'session_lifetime: 10d\nrefreshable_access_token_lifetime: 5m',
)

withClock(
  'what current states were long ago is forgotten, and who comes back after that is told right all the same',
  async (homeserver, clock) => {
    const alice = await homeserver.register('alice')
    const bob = await homeserver.register('bob')
    const roomId = await roomOf([alice, bob])
    const old = (await bob.call(sync)).next_batch
    for (let n = 0; n < 250; n++)
      await setState(alice, roomId, { type: 'm.test', stateKey: `${n % 50}`, content: { n } })
    await pass(homeserver, clock, 2 * DAY_MS)
    await setState(alice, roomId, { type: 'm.test', stateKey: 'late', content: {} })
    const before = await count(homeserver, 'current_states')
    assert.ok(before > 250)
    await pass(homeserver, clock, 31 * DAY_MS)
    assert.ok((await count(homeserver, 'current_states')) < 10)
    await homeserver.restart()
    const room = (await bob.call(sync, { query: { since: old, filter: '{"room":{"timeline":{"limit":3}}}' } })).rooms
      ?.join?.[roomId]
    const told = [...(room?.state?.events ?? []), ...(room?.timeline?.events ?? [])].filter(
      ({ type }) => type === 'm.test',
    )
    assert.deepEqual(new Set(told.map(({ state_key }) => state_key)).size, 51)
    // What was there before the token is not told again.
    assert.ok(!(room?.state?.events ?? []).some(({ type }) => type === 'm.room.create'))
    const whole = (await bob.call(sync)).rooms?.join?.[roomId]
    assert.ok((whole?.state?.events ?? []).some(({ type }) => type === 'm.room.create'))
  },
)

withClock(
  'states that no event names any more are collected, and the others stay as they are',
  async (homeserver, clock) => {
    const { services } = homeserver
    const alice = await homeserver.register('alice')
    const roomId = await roomOf([alice])
    for (let n = 0; n < 300; n++)
      await setState(alice, roomId, { type: 'm.test', stateKey: `${n % 100}`, content: { n } })
    const room = await services.rooms.byId(roomId)
    assert.ok(room)
    const before = await count(homeserver, 'states')
    // As purging history does: events in the middle go, and with them what names their states.
    const change = new Change().write(eventsPurged, { first: roomKey(room.room, 20), last: roomKey(room.room, 200) })
    for (let n = 0; n < 2; n++) await scheduleCollection(change, room.room, services)
    await services.commit(change)
    await services.commit(new Change().write(currentStateRemoved, { room: room.room, upTo: services.feed.applied }))
    await pass(homeserver, clock, 3_600_000)
    const after = await count(homeserver, 'states')
    assert.ok(before - after > 150, `${before} states, ${after} after`)
    await homeserver.restart()
    await setState(alice, roomId, { type: 'm.test', stateKey: 'more', content: {} })
    const state = (await alice.call(sync, { query: { filter: '{"room":{"timeline":{"limit":1}}}' } })).rooms?.join?.[
      roomId
    ]
    assert.equal((state?.state?.events ?? []).filter(({ type }) => type === 'm.test').length, 100)
  },
)

withClock(
  'ways in that nobody went are closed: login tokens and interactive authentications that ran out',
  async (homeserver, clock) => {
    const alice = await homeserver.register('alice')
    const { services } = homeserver
    await services.loginTokens.issue((await services.accounts.find(alice.userId as never))?.user ?? 0)
    await homeserver.stranger().refused(register, { body: { username: 'bob', password: 'password of bob' } })
    assert.deepEqual([await count(homeserver, 'login_tokens'), await count(homeserver, 'interactive_auths')], [1, 1])
    await pass(homeserver, clock, 3 * DAY_MS)
    assert.deepEqual([await count(homeserver, 'login_tokens'), await count(homeserver, 'interactive_auths')], [0, 0])
  },
  'enable_registration: true\nenable_registration_without_verification: true',
)

withClock(
  'the log forgets after a week what it said of things that are gone or were so again, and nothing else',
  async (homeserver, clock) => {
    const alice = await homeserver.register('alice')
    const bob = await homeserver.register('bob')
    const roomId = await roomOf([alice, bob])
    const { services } = homeserver
    const params = { userId: alice.userId, keyName: 'org.example.mood' }
    const churn = async () => {
      for (let n = 0; n < 10; n++) {
        await alice.call(setProfileField, { params, body: { 'org.example.mood': n } })
        await alice.call(deleteProfileField, { params })
        const body = { type: 'm.login.password', user: 'alice', password: 'password of alice' }
        const { access_token: accessToken } = await homeserver.stranger().call(login, { body })
        await alice.with({ ...alice, accessToken }).call(logout)
        await bob.call(leaveRoom, { params: { roomId } })
        await bob.call(forgetRoom, { params: { roomId } })
        await alice.call(inviteUser, { params: { roomId }, body: { user_id: bob.userId as never } })
        await bob.call(joinRoomById, { params: { roomId } })
      }
    }
    await churn()
    const events = async () =>
      (await services.db.get(COUNT, sql`SELECT count(*) AS count FROM log WHERE kind = ${LOG_KIND.event}`))?.count ?? 0
    const others = async () => (await count(homeserver, 'log')) - (await events())
    const [first, firstEvents] = [await others(), await events()]
    await pass(homeserver, clock, 3 * DAY_MS)
    await churn()
    const since = (await bob.call(sync)).next_batch
    const both = await others()
    assert.ok(both > first * 1.8, `${first}, ${both}`)
    await pass(homeserver, clock, 5 * DAY_MS)
    const left = await others()
    assert.ok(both - left > first * 0.7, `${first}, ${both}, ${left}`)
    await pass(homeserver, clock, 10 * DAY_MS)
    // Two members, a name for each, and little else.
    assert.ok((await others()) <= 8, `${await others()}`)
    assert.equal(await events(), firstEvents + 30)
    await homeserver.restart()
    await say(alice, roomId, 'x')
    const { rooms } = await bob.call(sync, { query: { since } })
    assert.deepEqual(Object.keys(rooms?.join ?? {}), [roomId])
  },
)
