import {
  getAccountData,
  getAccountDataPerRoom,
  setAccountData,
  setAccountDataPerRoom,
} from '#api/client/account-data.ts'
import { getContentAuthed, getContentOverrideNameAuthed } from '#api/client/authed-content-repo.ts'
import { uploadContent } from '#api/client/content-repo.ts'
import { createRoom } from '#api/client/create-room.ts'
import { getDevice, getDevices, updateDevice } from '#api/client/device-management.ts'
import { getLocalAliases, getRoomIdByAlias, setRoomAlias } from '#api/client/directory.ts'
import { getEventContext } from '#api/client/event-context.ts'
import { defineFilter, getFilter } from '#api/client/filter.ts'
import { joinRoomById } from '#api/client/joining.ts'
import {
  getRoomKeyBySessionId,
  getRoomKeys,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
} from '#api/client/key-backup.ts'
import { claimKeys, queryKeys, uploadKeys } from '#api/client/keys.ts'
import { kick } from '#api/client/kicking.ts'
import { login } from '#api/client/login.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { getProfileField, getUserProfile, setProfileField } from '#api/client/profile.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import {
  getJoinedMembersByRoom,
  getMembersByRoom,
  getOneRoomEvent,
  getRoomState,
  getRoomStateWithKey,
} from '#api/client/rooms.ts'
import { getRoomTags, setRoomTag } from '#api/client/tags.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { Endpoint } from '#api/endpoint.ts'
import type { UserId } from '#protocol/identifiers.ts'
import { TestClient } from '#test/helpers/client.ts'
import { publishDevice } from '#test/helpers/encryption.ts'
import { say } from '#test/helpers/rooms.ts'
import { newEvents, news, type TextWorld } from './text-world.ts'

// One list, of everything: over 300 lines. Each row is a text that clients can set, and every endpoint that shows it.

/** What an endpoint shows of a text: how it should be, and how it is. */
export type Shown = readonly (readonly [where: string, expected: unknown, actual: unknown])[]

/** A text that clients can set. */
export type TextRow = {
  readonly name: string
  /** The endpoints without which there is no such text. */
  readonly needs: readonly Endpoint[]
  /** It stands in a path or query: what has no UTF-8 cannot be there. */
  readonly isInUrl?: true
  /** The code with which a text is refused; nothing where it has to be taken. */
  readonly refusal: (text: string) => string | undefined
  /** Sets the text. */
  readonly set: (world: TextWorld, text: string) => Promise<unknown>
  /** What is shown of it. Gets what `set` gave. */
  readonly shown: (world: TextWorld, text: string, given: never) => Promise<Shown>
}

const row = <Given>(
  given: Omit<TextRow, 'set' | 'shown'> & {
    readonly set: (world: TextWorld, text: string) => Promise<Given>
    readonly shown: (world: TextWorld, text: string, given: Given) => Promise<Shown>
  },
): TextRow => given

const never = () => undefined
/** Events are written in UTF-8, and are canonical JSON. https://spec.matrix.org/v1.19/appendices/#canonical-json */
const whereNoUtf8 = (text: string) => (text.isWellFormed() ? undefined : 'M_BAD_JSON')

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

/** As they came: a schema would leave `__proto__` out. */
const tagsOf = async (client: TestClient, roomId: string): Promise<Record<string, unknown>> => {
  const { body } = await client.send(getRoomTags, { params: { userId: client.userId, roomId } })
  return (body as { readonly tags: Record<string, unknown> }).tags
}

const accountDataType = 'org.example.data'

/** Everything that users can say and keep. */
export const texts: readonly TextRow[] = [
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
    name: 'a display name',
    needs: [setProfileField],
    refusal: whereNoUtf8,
    set: ({ alice }, text) =>
      alice.call(setProfileField, {
        params: { userId: alice.userId, keyName: 'displayname' },
        body: { displayname: text },
      }),
    shown: async ({ homeserver, alice, bob, roomId }, text) => {
      await homeserver.services.memberUpdates.settled()
      const params = { userId: alice.userId }
      const { joined } = await bob.call(getJoinedMembersByRoom, { params: { roomId } })
      const field = await bob.call(getProfileField, { params: { ...params, keyName: 'displayname' } })
      return [
        ['profile', text, (await bob.call(getUserProfile, { params })).displayname],
        ['field', { displayname: text }, field],
        ['joined members', text, joined?.[alice.userId]?.display_name],
      ]
    },
  }),
  row({
    name: 'a field of a profile',
    needs: [setProfileField],
    refusal: never,
    set: ({ alice }, text) =>
      alice.call(setProfileField, {
        params: { userId: alice.userId, keyName: 'org.example.field' },
        body: { 'org.example.field': { [text]: [text] } },
      }),
    shown: async ({ alice, bob }, text) => {
      const profile: Record<string, unknown> = await bob.call(getUserProfile, { params: { userId: alice.userId } })
      return [['profile', { [text]: [text] }, profile['org.example.field']]]
    },
  }),
  row({
    name: 'the name of a device',
    needs: [updateDevice],
    refusal: never,
    set: ({ alice }, text) =>
      alice.call(updateDevice, { params: { deviceId: alice.deviceId }, body: { display_name: text } }),
    shown: async ({ alice }, text) => {
      const { devices } = await alice.call(getDevices)
      const own = devices?.find(({ device_id }) => device_id === alice.deviceId)
      const device = await alice.call(getDevice, { params: { deviceId: alice.deviceId } })
      return [
        ['devices', text, own?.display_name],
        ['device', text, device.display_name],
      ]
    },
  }),
  row({
    name: 'the ID of a device, and its name at the login',
    needs: [login],
    refusal: never,
    set: ({ homeserver, alice }, text) =>
      homeserver.stranger().call(login, {
        body: {
          type: 'm.login.password',
          identifier: { type: 'm.id.user', user: alice.userId },
          password: 'password of alice',
          device_id: text,
          initial_device_display_name: text,
        },
      }),
    shown: async ({ alice }, text, session) => {
      const client = alice.with({ accessToken: session.access_token, userId: alice.userId, deviceId: text })
      const { devices } = await client.call(getDevices)
      return [
        ['login', text, session.device_id],
        ['whoami', text, (await client.call(getTokenOwner)).device_id],
        ['devices', text, devices?.find(({ device_id }) => device_id === text)?.display_name],
      ]
    },
  }),
  row({
    name: 'the type of account data',
    needs: [setAccountData],
    isInUrl: true,
    refusal: never,
    set: ({ alice }, text) =>
      alice.call(setAccountData, { params: { userId: alice.userId, type: text }, body: { of: text } }),
    shown: async ({ alice, since }, text) => {
      const params = { userId: alice.userId, type: text }
      const { account_data: data } = await news(alice, since)
      return [
        ['account data', { of: text }, await alice.call(getAccountData, { params })],
        ['sync', { of: text }, data?.events?.find(({ type }) => type === text)?.content],
      ]
    },
  }),
  row({
    name: 'the content of account data',
    needs: [setAccountData, setAccountDataPerRoom],
    refusal: never,
    set: async ({ alice, roomId }, text) => {
      const params = { userId: alice.userId, type: accountDataType }
      await alice.call(setAccountData, { params, body: { [text]: [text] } })
      await alice.call(setAccountDataPerRoom, { params: { ...params, roomId }, body: { [text]: [text] } })
    },
    shown: async ({ alice, roomId, since }, text) => {
      const params = { userId: alice.userId, type: accountDataType }
      const { account_data: data, rooms } = await news(alice, since)
      const ofRoom = rooms?.join?.[roomId]?.account_data
      const isIt = ({ type }: { readonly type: string }) => type === accountDataType
      const expected = { [text]: [text] }
      return [
        ['account data', expected, await alice.call(getAccountData, { params })],
        ['of a room', expected, await alice.call(getAccountDataPerRoom, { params: { ...params, roomId } })],
        ['sync', expected, data?.events?.find(isIt)?.content],
        ['sync of a room', expected, ofRoom?.events?.find(isIt)?.content],
      ]
    },
  }),
  row({
    name: 'a tag',
    needs: [setRoomTag],
    isInUrl: true,
    refusal: never,
    set: ({ alice, roomId }, text) =>
      alice.call(setRoomTag, { params: { userId: alice.userId, roomId, tag: text }, body: { order: 0.5 } }),
    shown: async ({ alice, roomId }, text) => {
      const tags = await tagsOf(alice, roomId)
      return [['tags', { order: 0.5 }, tags[text]]]
    },
  }),
  row({
    name: 'what a tag holds',
    needs: [setRoomTag],
    refusal: never,
    set: ({ alice, roomId }, text) =>
      alice.call(setRoomTag, { params: { userId: alice.userId, roomId, tag: 'u.x' }, body: { [text]: { in: text } } }),
    shown: async ({ alice, roomId, since }, text) => {
      const tags = await tagsOf(alice, roomId)
      const data = (await news(alice, since)).rooms?.join?.[roomId]?.account_data?.events
      const inSync = data?.find(({ type }) => type === 'm.tag')?.content['tags'] as Record<string, unknown> | undefined
      return [
        ['tags', { [text]: { in: text } }, tags['u.x']],
        ['sync', { [text]: { in: text } }, inSync?.['u.x']],
      ]
    },
  }),
  row({
    name: 'a filter',
    needs: [defineFilter],
    refusal: never,
    set: async ({ alice }, text) =>
      (
        await alice.call(defineFilter, {
          params: { userId: alice.userId },
          body: { room: { timeline: { types: [text] } }, 'org.example.more': { [text]: text } },
        })
      ).filter_id,
    shown: async ({ alice }, text, filterId) => {
      const filter: Record<string, unknown> = await alice.call(getFilter, {
        params: { userId: alice.userId, filterId },
      })
      return [['filter', { [text]: text }, filter['org.example.more']]]
    },
  }),
  row({
    name: 'the name of a file',
    needs: [uploadContent],
    isInUrl: true,
    refusal: never,
    set: async ({ alice }, text) =>
      (await alice.call(uploadContent, { query: { filename: text }, raw: 'bytes' })).content_uri,
    shown: async ({ alice }, text, uri) => {
      const [serverName = '', mediaId = ''] = uri.slice('mxc://'.length).split('/')
      const plain = await alice.send(getContentAuthed, { params: { serverName, mediaId } })
      const named = await alice.send(getContentOverrideNameAuthed, { params: { serverName, mediaId, fileName: text } })
      // What no file can be called is left out of the name.
      return [plain, named].map(({ status, body }) => ['download', [200, 'bytes'], [status, body]] as const)
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
  row({
    name: 'a message to a device',
    needs: [sendToDevice],
    refusal: never,
    set: ({ alice, bob }, text) =>
      alice.call(sendToDevice, {
        params: { eventType: 'org.example.message', txnId: TestClient.txn() },
        body: { messages: { [bob.userId]: { '*': { [text]: [text] } } } },
      }),
    shown: async ({ bob, since }, text) => {
      const { to_device: messages } = await news(bob, since)
      return [['sync', { [text]: [text] }, messages?.events?.at(-1)?.content]]
    },
  }),
  row({
    name: 'the type of a message to a device',
    needs: [sendToDevice],
    isInUrl: true,
    refusal: never,
    set: ({ alice, bob }, text) =>
      alice.call(sendToDevice, {
        params: { eventType: text, txnId: TestClient.txn() },
        body: { messages: { [bob.userId]: { '*': { of: text } } } },
      }),
    shown: async ({ bob, since }, text) => {
      const { to_device: messages } = await news(bob, since)
      return [['sync', text, messages?.events?.find(({ content }) => content['of'] === text)?.type]]
    },
  }),
  row({
    name: 'a key backup',
    needs: [postRoomKeysVersion, putRoomKeyBySessionId],
    refusal: never,
    set: async ({ alice, roomId }, text) => {
      const data = { [text]: [text] }
      const { version } = await alice.call(postRoomKeysVersion, { body: { algorithm: 'x', auth_data: data } })
      await alice.call(putRoomKeyBySessionId, {
        params: { roomId, sessionId: 'session' },
        query: { version },
        body: { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: data },
      })
      return version
    },
    shown: async ({ alice, roomId }, text, version) => {
      const data = { [text]: [text] }
      const params = { roomId, sessionId: 'session' }
      const key = await alice.call(getRoomKeyBySessionId, { params, query: { version } })
      const { rooms } = await alice.call(getRoomKeys, { query: { version } })
      return [
        ['version', data, (await alice.call(getRoomKeysVersionCurrent)).auth_data],
        ['key', data, key.session_data],
        ['keys', data, rooms[roomId]?.sessions['session']?.session_data],
      ]
    },
  }),
  row({
    name: 'the ID of a session in a key backup',
    needs: [postRoomKeysVersion, putRoomKeyBySessionId],
    isInUrl: true,
    refusal: never,
    set: async ({ alice, roomId }, sessionId) => {
      const { version } = await alice.call(postRoomKeysVersion, { body: { algorithm: 'x', auth_data: {} } })
      await alice.call(putRoomKeyBySessionId, {
        params: { roomId, sessionId },
        query: { version },
        body: { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: { of: sessionId } },
      })
      return version
    },
    shown: async ({ alice, roomId }, sessionId, version) => {
      const key = await alice.call(getRoomKeyBySessionId, { params: { roomId, sessionId }, query: { version } })
      const { body } = await alice.send(getRoomKeys, { query: { version } })
      const { rooms } = body as { readonly rooms: Record<string, { readonly sessions: Record<string, unknown> }> }
      return [
        ['key', { of: sessionId }, key.session_data],
        ['keys', [sessionId], Object.keys(rooms[roomId]?.sessions ?? {})],
      ]
    },
  }),
  row({
    name: 'a one-time key',
    needs: [uploadKeys, claimKeys],
    refusal: never,
    set: ({ alice }, text) =>
      alice.call(uploadKeys, {
        body: {
          one_time_keys: { [`signed_curve25519:${TestClient.txn()}`]: { key: text, signatures: {}, more: [text] } },
        },
      }),
    shown: async ({ alice, bob }, text) => {
      const asked = { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } }
      const { one_time_keys: keys } = await bob.call(claimKeys, { body: { one_time_keys: asked } })
      const [key] = Object.values(keys[alice.userId]?.[alice.deviceId] ?? {})
      return [['claim', { key: text, signatures: {}, more: [text] }, key]]
    },
  }),
  row({
    name: 'the name of a device with keys',
    needs: [queryKeys],
    refusal: never,
    set: async ({ alice }, text) => {
      await publishDevice(alice)
      await alice.call(updateDevice, { params: { deviceId: alice.deviceId }, body: { display_name: text } })
    },
    shown: async ({ alice, bob }, text) => {
      const { device_keys: keys } = await bob.call(queryKeys, { body: { device_keys: { [alice.userId]: [] } } })
      return [['keys', text, keys?.[alice.userId]?.[alice.deviceId]?.unsigned?.device_display_name]]
    },
  }),
]
