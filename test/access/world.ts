import { setAccountData, setAccountDataPerRoom } from '#api/client/account-data.ts'
import { ban } from '#api/client/banning.ts'
import { uploadContent } from '#api/client/content-repo.ts'
import { createRoom } from '#api/client/create-room.ts'
import { updateDevice } from '#api/client/device-management.ts'
import { setRoomAlias } from '#api/client/directory.ts'
import { defineFilter } from '#api/client/filter.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoomById } from '#api/client/joining.ts'
import { postRoomKeysVersion, putRoomKeyBySessionId } from '#api/client/key-backup.ts'
import { uploadKeys } from '#api/client/keys.ts'
import { leaveRoom } from '#api/client/leaving.ts'
import { login } from '#api/client/login.ts'
import { setProfileField } from '#api/client/profile.ts'
import { postReceipt } from '#api/client/receipts.ts'
import { register } from '#api/client/registration.ts'
import { setRoomTag } from '#api/client/tags.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { Endpoint } from '#api/endpoint.ts'
import type { RoomAlias, RoomId, UserId } from '#protocol/identifiers.ts'
import { allRoutes } from '#server/routes.ts'
import { TestClient } from '#test/helpers/client.ts'
import { oneTimeKeys, publishCrossSigning, publishDevice } from '#test/helpers/encryption.ts'
import type { TestHomeserver } from '#test/helpers/homeserver.ts'
import { say, send, setState } from '#test/helpers/rooms.ts'

/** Those who are not to reach what is Alice's. */
export const PARTIES = [
  'stranger',
  'unrelated',
  'former',
  'invited',
  'banned',
  'deactivated',
  'guest',
  'masquerading',
] as const
/** One of them. `masquerading` names Alice and her device in each query. */
export type Party = (typeof PARTIES)[number]

/** Stands in everything that is only for Alice, or only for those who are in her room now. */
export const SECRET = 'for-nobody-else'

/** What Alice calls her device: those see it who ask for its keys. */
export const DEVICE_NAME = 'kitchen'

/** Alice, what is hers, and everybody else. */
export type World = {
  readonly homeserver: TestHomeserver
  readonly routed: ReadonlySet<string>
  readonly alice: TestClient
  readonly parties: Readonly<Record<Party, TestClient>>
  readonly roomId: RoomId
  readonly alias: RoomAlias
  /** What was said while the former members were there, and changed since; and what was said after them. */
  readonly earlier: string
  readonly later: string
  readonly filterId: string
  readonly mediaId: string
  /** Of Alice's key backup, where there is one. */
  readonly backupVersion: string
  /** The key by which Alice signs the keys of others: only she sees it. */
  readonly userSigningKey: string
}

const GUESTS = 'allow_guest_access: true\nenable_registration: true\nenable_registration_without_verification: true'
/** What a server needs for this. */
export const ACCESS_CONFIG = { config: GUESTS }

/** Makes the world. */
export const makeWorld = async (homeserver: TestHomeserver): Promise<World> => {
  const routed = new Set(allRoutes(homeserver.services).map(({ endpoint }) => endpoint.id))
  const alice = await homeserver.register('alice')
  const parties = await makeParties(homeserver)
  const { room_id } = await alice.call(createRoom, { body: { preset: 'private_chat', name: 'Before' } })
  const roomId = room_id as RoomId
  const { former, banned, invited } = parties
  for (const client of [former, banned]) {
    await invite(alice, roomId, client)
    await client.call(joinRoomById, { params: { roomId } })
  }
  await invite(alice, roomId, invited)
  const earlier = await say(alice, roomId, 'while you are here')
  await former.call(leaveRoom, { params: { roomId } })
  await alice.call(ban, { params: { roomId }, body: { user_id: banned.userId as UserId } })
  const later = await keepSecrets(alice, roomId, earlier)
  const alias = '#alice:example.org' as RoomAlias
  await alice.call(setRoomAlias, { params: { roomAlias: alias }, body: { room_id: roomId } })
  const own = await keepOwnThings(alice, roomId, later)
  const keys = routed.has(postRoomKeysVersion.id) ? await keepKeys(alice, roomId) : NO_KEYS
  return { homeserver, routed, alice, parties, roomId, alias, earlier, later, ...own, ...keys }
}

async function makeParties(homeserver: TestHomeserver): Promise<Record<Party, TestClient>> {
  const { services, register: make } = homeserver
  const [unrelated, former, invited, banned, deactivated, masquerading] = [
    await make('unrelated'),
    await make('former'),
    await make('invited'),
    await make('banned'),
    await make('deactivated'),
    await make('masquerading'),
  ]
  await services.deactivations.deactivate(deactivated.userId as UserId, { erase: false, by: undefined })
  const made = await homeserver.stranger().call(register, { query: { kind: 'guest' }, body: {} })
  const guest = unrelated.with({
    accessToken: made.access_token ?? '',
    userId: made.user_id,
    deviceId: made.device_id ?? '',
  })
  return { stranger: homeserver.stranger(), unrelated, former, invited, banned, deactivated, guest, masquerading }
}

/** Invites somebody. */
export const invite = (alice: TestClient, roomId: string, { userId }: TestClient): Promise<unknown> =>
  alice.call(inviteUser, { params: { roomId }, body: { user_id: userId as UserId } })

/** Says and sets what only those know who are in the room now. */
async function keepSecrets(alice: TestClient, roomId: string, earlier: string): Promise<string> {
  for (const [type, content] of [
    ['m.room.name', { name: SECRET }],
    ['m.room.topic', { topic: SECRET }],
    ['org.example.state', { of: SECRET }],
  ] as const) {
    await setState(alice, roomId, { type, content })
  }
  const later = await say(alice, roomId, SECRET)
  const edit = { msgtype: 'm.text', body: SECRET }
  await say(alice, roomId, SECRET, {
    'm.new_content': edit,
    'm.relates_to': { rel_type: 'm.replace', event_id: earlier },
  })
  await say(alice, roomId, SECRET, { 'm.relates_to': { rel_type: 'm.thread', event_id: earlier } })
  await send(alice, roomId, 'm.reaction', {
    'm.relates_to': { rel_type: 'm.annotation', event_id: earlier, key: SECRET },
  })
  return later
}

async function keepOwnThings(alice: TestClient, roomId: RoomId, later: string) {
  const { userId, deviceId } = alice
  const type = 'org.example.data'
  await alice.call(setAccountData, { params: { userId, type }, body: { of: SECRET } })
  await alice.call(setAccountDataPerRoom, { params: { userId, roomId, type }, body: { of: SECRET } })
  await alice.call(setRoomTag, { params: { userId, roomId, tag: `u.${SECRET}` }, body: {} })
  await alice.call(updateDevice, { params: { deviceId }, body: { display_name: DEVICE_NAME } })
  await alice.call(setProfileField, { params: { userId, keyName: 'displayname' }, body: { displayname: 'Alice' } })
  await alice.call(postReceipt, { params: { roomId, receiptType: 'm.read.private', eventId: later } })
  const body = { room: { timeline: { types: [SECRET] } }, [SECRET]: SECRET }
  const { filter_id: filterId } = await alice.call(defineFilter, { params: { userId }, body })
  const { content_uri: uri } = await alice.call(uploadContent, { raw: 'a picture' })
  return { filterId, mediaId: uri.split('/').at(-1) ?? '' }
}

type Keys = Pick<World, 'backupVersion' | 'userSigningKey'>
const NO_KEYS: Keys = { backupVersion: '1', userSigningKey: SECRET }

async function keepKeys(alice: TestClient, roomId: RoomId): Promise<Keys> {
  const algorithm = 'm.megolm_backup.v1.curve25519-aes-sha2'
  const { version } = await alice.call(postRoomKeysVersion, { body: { algorithm, auth_data: { of: SECRET } } })
  await alice.call(putRoomKeyBySessionId, {
    params: { roomId, sessionId: 'session' },
    query: { version },
    body: { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: { of: SECRET } },
  })
  const messages = { [alice.userId]: { [alice.deviceId]: { of: SECRET } } }
  await alice.call(sendToDevice, {
    params: { eventType: 'org.example.message', txnId: TestClient.txn() },
    body: { messages },
  })
  await publishDevice(alice)
  await alice.call(uploadKeys, { body: { one_time_keys: oneTimeKeys('AAAA', 'BBBB') } })
  const { userSigning } = await publishCrossSigning(alice)
  return { backupVersion: version, userSigningKey: userSigning.publicKeyBase64 }
}

/** Logs parties in again whose sessions their own requests ended. */
export const renewParties = async ({ homeserver, parties }: World): Promise<void> => {
  for (const [party, client] of Object.entries(parties)) {
    if (party === 'stranger' || party === 'deactivated' || party === 'guest') continue
    if ((await client.send(getTokenOwner)).status !== 401) continue
    const password = `password of ${party}`
    const body = { type: 'm.login.password', user: party, password, device_id: client.deviceId }
    client.accessToken = (await homeserver.stranger().call(login, { body })).access_token
  }
}

/** Whether the endpoint has a route already. */
export const isRouted = ({ routed }: World, { id }: Endpoint): boolean => routed.has(id)
