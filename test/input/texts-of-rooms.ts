import { createRoom } from '#api/client/create-room.ts'
import { getLocalAliases, getRoomIdByAlias, setRoomAlias } from '#api/client/directory.ts'
import { getEventContext } from '#api/client/event-context.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { kick } from '#api/client/kicking.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import { getMembersByRoom, getOneRoomEvent, getRoomState, getRoomStateWithKey } from '#api/client/rooms.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { TestClient } from '#test/helpers/client.ts'
import { say } from '#test/helpers/rooms.ts'
import { never, row, type Shown, type TextRow, whereNoUtf8 } from './text-row.ts'
import { newEvents, type TextWorld } from './text-world.ts'

const contentOf = (events: readonly { event_id: string; content: unknown }[], eventId: string) =>
  events.find(({ event_id }) => event_id === eventId)?.content

/** What every endpoint that shows events shows of one. */
const shownEvent = async (world: TextWorld, eventId: string, expected: unknown): Promise<Shown> => {
  const { alice, bob, roomId } = world
  const params = { roomId, eventId }
  const query = { dir: 'b', limit: '20' } as const
  const page = await bob.call(getRoomEvents, { params: { roomId }, query })
  return [
    ['event', expected, (await bob.call(getOneRoomEvent, { params })).content],
    ['messages', expected, contentOf(page.chunk, eventId)],
    ['context', expected, (await alice.call(getEventContext, { params })).event?.content],
    ['sync of the sender', expected, contentOf(await newEvents(alice, world), eventId)],
    ['sync of another', expected, contentOf(await newEvents(bob, world), eventId)],
  ]
}

const message = (name: string, contentFor: (text: string) => Record<string, unknown>): TextRow =>
  row({
    name,
    needs: [sendMessage],
    refusal: whereNoUtf8,
    set: async ({ alice, roomId }, text) => {
      const params = { roomId, eventType: 'org.example.text', txnId: TestClient.txn() }
      return (await alice.call(sendMessage, { params, body: contentFor(text) as never })).event_id
    },
    shown: (world, text, eventId) => shownEvent(world, eventId, contentFor(text)),
  })

/** What is said and set in rooms. */
export const textsOfRooms: readonly TextRow[] = [
  message('the content of a message', (text) => ({ body: text, list: [text, { deep: text }] })),
  message('a key in the content of a message', (text) => ({ [text]: 1, deep: { [text]: { [text]: null } } })),
  row({
    name: 'the type of an event',
    needs: [sendMessage],
    isInUrl: true,
    refusal: never,
    set: async ({ alice, roomId }, text) =>
      (await alice.call(sendMessage, { params: { roomId, eventType: text, txnId: TestClient.txn() }, body: {} }))
        .event_id,
    shown: async (world, text, eventId) => [
      ['event', text, (await world.bob.call(getOneRoomEvent, { params: { roomId: world.roomId, eventId } })).type],
      ['sync', text, (await newEvents(world.bob, world)).find(({ event_id }) => event_id === eventId)?.type],
    ],
  }),
  row({
    name: 'the key of a state event',
    needs: [setRoomStateWithKey],
    isInUrl: true,
    refusal: never,
    set: async ({ alice, roomId }, text) =>
      (
        await alice.call(setRoomStateWithKey, {
          params: { roomId, eventType: 'org.example.state', stateKey: text },
          body: { of: text },
        })
      ).event_id,
    shown: async (world, text, eventId) => {
      const { bob, roomId } = world
      const params = { roomId, eventType: 'org.example.state', stateKey: text }
      const state = await bob.call(getRoomState, { params: { roomId } })
      return [
        ['state event', { of: text }, await bob.call(getRoomStateWithKey, { params })],
        ['state', text, state.find(({ event_id }) => event_id === eventId)?.state_key],
        ['sync', text, (await newEvents(bob, world)).find(({ event_id }) => event_id === eventId)?.state_key],
        ...(await shownEvent(world, eventId, { of: text })),
      ]
    },
  }),
  ...(['name', 'topic'] as const).map((field) =>
    row({
      name: `the ${field} of a new room`,
      needs: [createRoom],
      refusal: whereNoUtf8,
      set: async ({ alice }, text) => (await alice.call(createRoom, { body: { [field]: text } })).room_id,
      shown: async ({ alice }, text, roomId) => {
        const params = { roomId, eventType: `m.room.${field}`, stateKey: '' }
        const content = (await alice.call(getRoomStateWithKey, { params })) as Record<string, unknown>
        return [['state event', text, content[field]]]
      },
    }),
  ),
  row({
    name: 'what a room is created with',
    needs: [createRoom],
    refusal: whereNoUtf8,
    set: async ({ alice }, text) => {
      const initial_state = [{ type: 'org.example.state', state_key: text, content: { [text]: text } }]
      return (await alice.call(createRoom, { body: { creation_content: { [text]: text }, initial_state } })).room_id
    },
    shown: async ({ alice }, text, roomId) => {
      const state = await alice.call(getRoomState, { params: { roomId } })
      const created = state.find(({ type }) => type === 'm.room.create')?.content
      const initial = state.find(({ type }) => type === 'org.example.state')
      return [
        ['creation', text, created?.[text]],
        ['state key', text, initial?.state_key],
        ['state', { [text]: text }, initial?.content],
      ]
    },
  }),
  row({
    name: 'the reason for which somebody is kicked',
    needs: [kick],
    refusal: whereNoUtf8,
    set: async ({ alice, bob, roomId }, reason) => {
      await alice.call(kick, { params: { roomId }, body: { user_id: bob.userId as UserId, reason } })
      const params = { roomId, eventType: 'm.room.member', stateKey: bob.userId }
      const kicked = await alice.call(getRoomStateWithKey, { params })
      await bob.call(joinRoomById, { params: { roomId } })
      return kicked as { readonly reason?: string }
    },
    shown: async (_world, text, { reason }) => [['member event', text, reason]],
  }),
  row({
    name: 'the reason for which a user joins',
    needs: [joinRoomById],
    refusal: whereNoUtf8,
    set: async ({ alice, bob, roomId }, reason) => {
      await alice.call(kick, { params: { roomId }, body: { user_id: bob.userId as UserId } })
      try {
        await bob.call(joinRoomById, { params: { roomId }, body: { reason } })
      } finally {
        await bob.call(joinRoomById, { params: { roomId } })
      }
    },
    shown: async ({ alice, bob, roomId }, text) => {
      const members = await alice.call(getMembersByRoom, { params: { roomId } })
      const member = members.chunk?.find(({ state_key }) => state_key === bob.userId)
      return [['members', text, member?.content['reason']]]
    },
  }),
  row({
    name: 'the reason of a redaction',
    needs: [redactEvent],
    refusal: whereNoUtf8,
    set: async ({ alice, roomId }, reason) => {
      const eventId = await say(alice, roomId, 'away with it')
      await alice.call(redactEvent, { params: { roomId, eventId, txnId: TestClient.txn() }, body: { reason } })
      return eventId
    },
    shown: async ({ bob, roomId }, text, eventId) => {
      const { unsigned } = await bob.call(getOneRoomEvent, { params: { roomId, eventId } })
      const because = unsigned?.redacted_because?.['content'] as { readonly reason?: string } | undefined
      return [['redacted event', text, because?.reason]]
    },
  }),
  row({
    name: 'a transaction ID',
    needs: [sendMessage],
    isInUrl: true,
    refusal: never,
    set: async ({ alice, roomId }, text) => {
      const input = { params: { roomId, eventType: 'm.room.message', txnId: text }, body: { body: 'x' } }
      const { event_id } = await alice.call(sendMessage, input)
      return { eventId: event_id, again: (await alice.call(sendMessage, input)).event_id }
    },
    shown: async (world, text, { eventId, again }) => {
      await world.homeserver.restart()
      const { alice, roomId } = world
      const params = { roomId, eventType: 'm.room.message', txnId: text }
      const third = await alice.call(sendMessage, { params, body: { body: 'x' } })
      const own = (await newEvents(alice, world)).find(({ event_id }) => event_id === eventId)
      return [
        ['the same again', eventId, again],
        ['the same after a restart', eventId, third.event_id],
        ['sync of the sender', text, own?.unsigned?.transaction_id],
      ]
    },
  }),
  row({
    name: 'an alias',
    needs: [setRoomAlias],
    isInUrl: true,
    refusal: (text) => (text.includes('\0') ? 'M_INVALID_PARAM' : undefined),
    set: ({ alice, roomId }, text) =>
      alice.call(setRoomAlias, { params: { roomAlias: `#${text}:example.org` }, body: { room_id: roomId as never } }),
    shown: async ({ alice, bob, roomId }, text) => {
      const roomAlias = `#${text}:example.org`
      const { aliases } = await alice.call(getLocalAliases, { params: { roomId } })
      return [
        ['directory', roomId, (await bob.call(getRoomIdByAlias, { params: { roomAlias } })).room_id],
        ['aliases of the room', true, aliases.includes(roomAlias)],
      ]
    },
  }),
]
