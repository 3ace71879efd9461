import assert from 'node:assert/strict'
import { createRoom } from '#api/client/create-room.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { roomOf, say } from '#test/helpers/rooms.ts'

const TWICE = '{ per_second: 0.01, burst_count: 2 }'
const statuses = (answers: readonly { readonly status: number }[]) => answers.map(({ status }) => status)

eachHomeserver(
  'a user makes only so many rooms at once, whatever others do',
  async ({ register }) => {
    const [alice, bob] = [await register('alice'), await register('bob')]
    const answers = []
    for (let count = 0; count < 3; count++) answers.push(await alice.send(createRoom, { body: {} }))
    assert.deepEqual(statuses(answers), [200, 200, 429])
    await bob.call(createRoom, { body: {} })
  },
  { config: `rc_room_creation: ${TWICE}` },
)

eachHomeserver(
  'a user joins only so many rooms at once, and who is in a room already may say so as often as they like',
  async ({ register }) => {
    const [alice, bob] = [await register('alice'), await register('bob')]
    const rooms: string[] = []
    for (let count = 0; count < 3; count++) rooms.push(await roomOf([alice], { preset: 'public_chat' }))
    const join = (roomId: string | undefined) =>
      bob.send(joinRoomById, { params: { roomId: String(roomId) }, body: {} })
    assert.equal((await join(rooms[0])).status, 200)
    assert.deepEqual(statuses([await join(rooms[0]), await join(rooms[0])]), [200, 200])
    assert.deepEqual(statuses([await join(rooms[1]), await join(rooms[2])]), [200, 429])
    const byState = await bob.refused(setRoomStateWithKey, {
      params: { roomId: String(rooms[2]), eventType: 'm.room.member', stateKey: bob.userId },
      body: { membership: 'join' },
    })
    assert.equal(byState.status, 429)
  },
  { config: `rc_joins: { local: ${TWICE} }` },
)

eachHomeserver(
  'only so many users join a room at once',
  async ({ register }) => {
    const roomId = await roomOf([await register('alice')], { preset: 'public_chat' })
    const answers = []
    for (const name of ['bob', 'carol', 'dave'])
      answers.push(await (await register(name)).send(joinRoomById, { params: { roomId }, body: {} }))
    assert.deepEqual(statuses(answers), [200, 200, 429])
  },
  { config: `rc_joins_per_room: ${TWICE}` },
)

const limits = [
  ['per_issuer', 'a user sends only so many invitations at once'],
  ['per_room', 'only so many are invited into a room at once'],
  ['per_user', 'a user gets only so many invitations at once'],
] as const
for (const [limit, sentence] of limits) {
  eachHomeserver(
    sentence,
    async ({ register }) => {
      const [alice, bob] = [await register('alice'), await register('bob')]
      const [first, second] = [await roomOf([alice]), await roomOf([alice])]
      const invite = async (roomId: string, user_id: string) =>
        (await alice.send(inviteUser, { params: { roomId }, body: { user_id } })).status
      const inOne = limit === 'per_user' ? [first, second] : [first, first]
      assert.equal(await invite(inOne[0] ?? '', bob.userId), 200)
      if (limit === 'per_user') await bob.call(leaveRoom, { params: { roomId: first } })
      const others = limit === 'per_user' ? [bob, bob] : [await register('carol'), await register('dave')]
      assert.equal(await invite(inOne[1] ?? '', others[0]?.userId ?? ''), 200)
      assert.equal(await invite(limit === 'per_issuer' ? second : first, others[1]?.userId ?? ''), 429)
      const free = {
        per_issuer: undefined,
        per_room: [second, bob],
        per_user: [second, await register('erin')],
      } as const
      const [roomId, guest] = free[limit] ?? []
      if (roomId !== undefined && guest !== undefined) assert.equal(await invite(roomId, guest.userId), 200)
    },
    { config: `rc_invites: { ${limit}: ${TWICE} }` },
  )
}

eachHomeserver(
  'what is refused takes nothing from those who may',
  async ({ register }) => {
    const [alice, bob, carol] = [await register('alice'), await register('bob'), await register('carol')]
    const roomId = await roomOf([alice])
    const params = { roomId }
    const body = { user_id: carol.userId }
    for (let count = 0; count < 3; count++) {
      assert.equal((await bob.send(joinRoomById, { params, body: {} })).status, 403)
      assert.equal((await bob.send(inviteUser, { params, body })).status, 403)
    }
    await alice.call(inviteUser, { params, body })
    await carol.call(joinRoomById, { params, body: {} })
  },
  { config: `rc_joins_per_room: ${TWICE}\nrc_invites: { per_room: ${TWICE}, per_user: ${TWICE} }` },
)

eachHomeserver(
  'any number is invited with a room, and then one waits',
  async ({ register }) => {
    const alice = await register('alice')
    const others = [await register('bob'), await register('carol'), await register('dave')].map(({ userId }) => userId)
    const invite = others as never
    const { room_id: roomId } = await alice.call(createRoom, { body: { invite } })
    const next = await alice.refused(inviteUser, { params: { roomId }, body: { user_id: '@erin:example.org' } })
    assert.deepEqual([next.status, next.errcode], [429, 'M_LIMIT_EXCEEDED'])
    assert.equal((await alice.refused(createRoom, { body: { invite } })).status, 429)
    await alice.call(createRoom, { body: {} })
  },
  { config: `rc_invites: { per_issuer: ${TWICE} }` },
)

const redact = (client: TestClient, roomId: string, eventId: string) =>
  client.send(redactEvent, { params: { roomId, eventId, txnId: TestClient.txn() }, body: {} })

eachHomeserver(
  'redactions of what others sent have a limit of their own, if they are given one',
  async ({ register }) => {
    const [alice, bob] = [await register('alice'), await register('bob')]
    const roomId = await roomOf([alice, bob])
    const theirs: string[] = []
    for (let count = 0; count < 3; count++) theirs.push(await say(bob, roomId, 'spam'))
    const answers = []
    for (const eventId of theirs) answers.push(await redact(alice, roomId, eventId))
    assert.deepEqual(statuses(answers), [200, 200, 429])
    // One's own are messages.
    assert.equal((await redact(alice, roomId, await say(alice, roomId, 'oops'))).status, 200)
  },
  { config: `rc_admin_redaction: ${TWICE}` },
)

eachHomeserver(
  'redactions count as messages otherwise',
  async ({ register }) => {
    const alice = await register('alice')
    const roomId = await roomOf([alice])
    const eventId = await say(alice, roomId, 'one')
    assert.equal((await redact(alice, roomId, eventId)).status, 200)
    assert.equal((await redact(alice, roomId, eventId)).status, 429)
  },
  { config: `rc_admin_redaction: null\nrc_message: ${TWICE}` },
)
