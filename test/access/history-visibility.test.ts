import assert from 'node:assert/strict'
import { ban } from '#api/client/banning.ts'
import { createRoom } from '#api/client/create-room.ts'
import { getEventContext } from '#api/client/event-context.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { getMembersByRoom, getOneRoomEvent, getRoomState } from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import type { UserId } from '#protocol/identifiers.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { eachHomeserver } from '#test/helpers/homeserver.ts'
import { history, say } from '#test/helpers/rooms.ts'

/** When things are said: before a user is invited, while they are invited, while they are in the room, after that. */
const PHASES = ['before', 'invited', 'joined', 'after'] as const
type Phase = (typeof PHASES)[number]

const NOTHING: readonly Phase[] | undefined = undefined

/**
 * What each party sees of a room with that visibility; `undefined` is shut out. `returned` left and came back, and is out no more.
 * https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
const VISIBLE: Readonly<Record<string, Readonly<Record<string, readonly Phase[] | undefined>>>> = {
  shared: {
    stranger: NOTHING,
    invited: NOTHING,
    refused: NOTHING,
    left: ['before', 'invited', 'joined'],
    banned: ['before', 'invited', 'joined'],
    returned: PHASES,
  },
  joined: {
    stranger: NOTHING,
    invited: NOTHING,
    refused: NOTHING,
    left: ['joined'],
    banned: ['joined'],
    returned: ['joined'],
  },
  invited: {
    stranger: NOTHING,
    invited: NOTHING,
    refused: NOTHING,
    left: ['invited', 'joined'],
    banned: ['invited', 'joined'],
    returned: ['invited', 'joined'],
  },
  world_readable: {
    stranger: PHASES,
    invited: PHASES,
    refused: PHASES,
    left: PHASES,
    banned: PHASES,
    returned: PHASES,
  },
}

/** What is said in an edit and in a thread, after the users left. */
const EDIT = 'edited afterwards'

/** Where invited ones may see what is said, a sync tells those who never came in what was said until they refused, as the rules allow. */
const TOLD_BY_SYNC: Readonly<Record<string, readonly Phase[]>> = { 'invited refused': ['invited', 'joined'] }

type Room = { readonly alice: TestClient; readonly roomId: string; readonly said: ReadonlyMap<string, Phase> }

for (const [visibility, expected] of Object.entries(VISIBLE)) {
  eachHomeserver(
    `in a ${visibility} room everybody sees what the specification says, and no more`,
    async (homeserver) => {
      const alice = await homeserver.register('alice')
      const parties = new Map<string, TestClient>()
      for (const name of Object.keys(expected)) parties.set(name, await homeserver.register(name))
      const room = await live(alice, visibility, parties)
      for (const [name, phases] of Object.entries(expected)) {
        const client = parties.get(name) as TestClient
        if (phases === undefined) await assertShutOut(client, room, TOLD_BY_SYNC[`${visibility} ${name}`] ?? [])
        else await assertSees(client, room, phases)
      }
    },
  )
}

/** Lives through the phases with all parties. */
async function live(alice: TestClient, visibility: string, parties: ReadonlyMap<string, TestClient>): Promise<Room> {
  const content = { history_visibility: visibility }
  const initial_state = [{ type: 'm.room.history_visibility', state_key: '', content }]
  const { room_id: roomId } = await alice.call(createRoom, { body: { preset: 'private_chat', initial_state } })
  const said = new Map<string, Phase>()
  const params = { roomId }
  const invite = (client: TestClient) => alice.call(inviteUser, { params, body: { user_id: client.userId as UserId } })
  const [invited, refused, left, banned, returned] = ['invited', 'refused', 'left', 'banned', 'returned'].map(
    (name) => parties.get(name) as TestClient,
  ) as [TestClient, TestClient, TestClient, TestClient, TestClient]
  said.set(await say(alice, roomId, 'before'), 'before')
  for (const client of [invited, refused, left, banned, returned]) await invite(client)
  said.set(await say(alice, roomId, 'invited'), 'invited')
  for (const client of [left, banned, returned]) await client.call(joinRoomById, { params })
  const joined = await say(alice, roomId, 'joined')
  said.set(joined, 'joined')
  for (const client of [refused, left, returned]) await client.call(leaveRoom, { params })
  await alice.call(ban, { params, body: { user_id: banned.userId as UserId } })
  said.set(await say(alice, roomId, 'after'), 'after')
  const edit = { msgtype: 'm.text', body: EDIT }
  await say(alice, roomId, EDIT, {
    'm.new_content': edit,
    'm.relates_to': { rel_type: 'm.replace', event_id: joined },
  })
  await say(alice, roomId, EDIT, { 'm.relates_to': { rel_type: 'm.thread', event_id: joined } })
  await invite(returned)
  await returned.call(joinRoomById, { params })
  return { alice, roomId, said }
}

async function assertShutOut(client: TestClient, { roomId, said }: Room, told: readonly Phase[]): Promise<void> {
  const params = { roomId }
  const attempts = [
    client.refused(getRoomEvents, { params, query: { dir: 'b' } }),
    client.refused(getRoomState, { params }),
    client.refused(getMembersByRoom, { params }),
    ...[...said.keys()].map((eventId) => client.refused(getEventContext, { params: { roomId, eventId } })),
  ]
  for (const { status, errcode } of await Promise.all(attempts)) {
    assert.deepEqual([status, errcode], [403, 'M_FORBIDDEN'], client.userId)
  }
  for (const eventId of said.keys()) {
    const { status, errcode } = await client.refused(getOneRoomEvent, { params: { roomId, eventId } })
    assert.deepEqual([status, errcode], [404, 'M_NOT_FOUND'], client.userId)
  }
  assert.deepEqual(await inSync(client, roomId, said), told, `${client.userId} by sync`)
}

async function assertSees(client: TestClient, { roomId, said }: Room, phases: readonly Phase[]): Promise<void> {
  const phasesOf = (events: readonly string[]) => events.flatMap((eventId) => said.get(eventId) ?? [])
  const { chunk } = await client.call(getRoomEvents, { params: { roomId }, query: { dir: 'f', limit: '100' } })
  assert.deepEqual(phasesOf(chunk.map(({ event_id }) => event_id)), phases, `${client.userId} forwards`)
  assert.deepEqual(phasesOf(await history(client, roomId)), phases, `${client.userId} backwards`)
  for (const [eventId, phase] of said) {
    const params = { roomId, eventId }
    if (!phases.includes(phase)) {
      assert.equal(
        (await client.refused(getOneRoomEvent, { params })).errcode,
        'M_NOT_FOUND',
        `${client.userId} ${phase}`,
      )
      assert.equal((await client.refused(getEventContext, { params })).errcode, 'M_NOT_FOUND')
      continue
    }
    const event = await client.call(getOneRoomEvent, { params })
    assert.equal(event.event_id, eventId)
    const isEdited = JSON.stringify(event).includes(EDIT)
    assert.equal(isEdited, phase === 'joined' && phases.includes('after'), `${client.userId} and the edit of ${phase}`)
    const around = await client.call(getEventContext, { params, query: { limit: '100' } })
    const events = [...(around.events_before ?? []), ...(around.events_after ?? [])].map(({ event_id }) => event_id)
    assert.deepEqual(phasesOf(events).toSorted(), phases.filter((other) => other !== phase).toSorted())
  }
  for (const phase of await inSync(client, roomId, said)) assert.ok(phases.includes(phase), `${client.userId} by sync`)
}

async function inSync(client: TestClient, roomId: string, said: ReadonlyMap<string, Phase>): Promise<Phase[]> {
  const filter = JSON.stringify({ room: { include_leave: true, timeline: { limit: 100 } } })
  const { rooms } = await client.call(sync, { query: { filter, timeout: '0' } })
  const timeline = (rooms?.join?.[roomId] ?? rooms?.leave?.[roomId])?.timeline
  return (timeline?.events ?? []).flatMap(({ event_id }) => said.get(event_id) ?? [])
}
