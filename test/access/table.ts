// Over 300 lines: one table, of everything. A row for each endpoint, and each way to reach with it for what is somebody else's.

import { getRegistrationNonce, registerWithSharedSecret } from '#api/admin/register.ts'
import {
  getAccountData,
  getAccountDataPerRoom,
  setAccountData,
  setAccountDataPerRoom,
} from '#api/client/account-data.ts'
import { getConfigAuthed, getContentAuthed, getContentOverrideNameAuthed } from '#api/client/authed-content-repo.ts'
import { ban, unban } from '#api/client/banning.ts'
import { getCapabilities } from '#api/client/capabilities.ts'
import { uploadContent } from '#api/client/content-repo.ts'
import { createRoom } from '#api/client/create-room.ts'
import { uploadCrossSigningKeys, uploadCrossSigningSignatures } from '#api/client/cross-signing.ts'
import { deleteDevice, deleteDevices, getDevice, getDevices, updateDevice } from '#api/client/device-management.ts'
import { deleteRoomAlias, getLocalAliases, getRoomIdByAlias, setRoomAlias } from '#api/client/directory.ts'
import { getEventContext } from '#api/client/event-context.ts'
import { defineFilter, getFilter } from '#api/client/filter.ts'
import { inviteUser } from '#api/client/inviting.ts'
import { joinRoom, joinRoomById } from '#api/client/joining.ts'
import {
  deleteRoomKeyBySessionId,
  deleteRoomKeys,
  deleteRoomKeysByRoomId,
  deleteRoomKeysVersion,
  getRoomKeyBySessionId,
  getRoomKeys,
  getRoomKeysByRoomId,
  getRoomKeysVersion,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
  putRoomKeys,
  putRoomKeysByRoomId,
  putRoomKeysVersion,
} from '#api/client/key-backup.ts'
import { claimKeys, getKeysChanges, queryKeys, uploadKeys } from '#api/client/keys.ts'
import { kick } from '#api/client/kicking.ts'
import { forgetRoom, leaveRoom } from '#api/client/leaving.ts'
import { getJoinedRooms } from '#api/client/list-joined-rooms.ts'
import { getLoginFlows, login } from '#api/client/login.ts'
import { generateLoginToken } from '#api/client/login-token.ts'
import { logout, logoutAll } from '#api/client/logout.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { changePassword } from '#api/client/password-management.ts'
import { deleteProfileField, getProfileField, getUserProfile, setProfileField } from '#api/client/profile.ts'
import { getPushRules } from '#api/client/pushrules.ts'
import { setReadMarker } from '#api/client/read-markers.ts'
import { postReceipt } from '#api/client/receipts.ts'
import { redactEvent } from '#api/client/redaction.ts'
import { refresh } from '#api/client/refresh.ts'
import { checkUsernameAvailability, register } from '#api/client/registration.ts'
import { registrationTokenValidity } from '#api/client/registration-tokens.ts'
import { sendMessage } from '#api/client/room-send.ts'
import { setRoomStateWithKey } from '#api/client/room-state.ts'
import {
  getJoinedMembersByRoom,
  getMembersByRoom,
  getOneRoomEvent,
  getRoomState,
  getRoomStateWithKey,
} from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import { deleteRoomTag, getRoomTags, setRoomTag } from '#api/client/tags.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import { setTyping } from '#api/client/typing.ts'
import { getVersions } from '#api/client/versions.ts'
import { getWellknown } from '#api/client/wellknown.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { Endpoint } from '#api/endpoint.ts'
import { getHealth } from '#api/health.ts'
import { getMetrics } from '#api/metrics.ts'
import { TestClient } from '#test/helpers/client.ts'
import {
  everybody,
  everybodyWithGoodToken,
  formerMembers,
  nobody,
  nobodyNorGuests,
  type Outcomes,
  users,
  usersAndGuests,
} from './outcomes.ts'
import { DEVICE_NAME, invite, type World } from './world.ts'

/** What a request has, beside the token. */
export type Aim = {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly raw?: string
}

/** A way to reach for what is Alice's. */
export type AccessRow = {
  readonly endpoint: Endpoint
  readonly aim: (world: World, client: TestClient) => Aim
  readonly outcomes: Outcomes
  /** What must not stand in an answer, beside what is secret anyway. */
  readonly hidden?: (world: World) => readonly string[]
  /** Some may do it, which Alice sees. This makes the world what it was. */
  readonly restore?: (world: World) => Promise<void>
}

const row = (
  endpoint: Endpoint,
  outcomes: Outcomes,
  aim: AccessRow['aim'] = () => ({}),
  more: Pick<AccessRow, 'hidden' | 'restore'> = {},
): AccessRow => ({ endpoint, outcomes, aim, ...more })

const room = ({ roomId }: World): Aim => ({ params: { roomId } })
const alices = ({ alice }: World, more: Readonly<Record<string, string>> = {}): Aim => ({
  params: { userId: alice.userId, ...more },
})
const data = (world: World) => alices(world, { type: 'org.example.data' })
const roomData = (world: World) => alices(world, { type: 'org.example.data', roomId: world.roomId })
const tag = (world: World) => alices(world, { roomId: world.roomId, tag: 'u.for-nobody-else' })
const newTag = (world: World) => alices(world, { roomId: world.roomId, tag: 'u.theirs' })
const device = ({ alice }: World): Aim => ({ params: { deviceId: alice.deviceId } })
const later = ({ roomId, later: eventId }: World): Aim => ({ params: { roomId, eventId } })
const earlier = ({ roomId, earlier: eventId }: World): Aim => ({ params: { roomId, eventId } })
const media = ({ mediaId }: World, more = {}): Aim => ({ params: { serverName: 'example.org', mediaId, ...more } })
const aboutAlice = ({ roomId, alice }: World): Aim => ({ params: { roomId }, body: { user_id: alice.userId } })
const version = ({ backupVersion }: World) => ({ version: backupVersion })
const backedUp = { first_message_index: 0, forwarded_count: 0, is_verified: false, session_data: {} }

/** The password with which the parties confirm what they do. */
const proof = ({ userId }: TestClient) => ({
  type: 'm.login.password',
  identifier: { type: 'm.id.user', user: userId },
  password: `password of ${userId.slice(1).split(':')[0]}`,
})

/** The invited one is invited again. */
const reinvite = async (world: World): Promise<void> => {
  const { alice, parties, roomId } = world
  await parties.invited.call(leaveRoom, { params: { roomId } })
  await invite(alice, roomId, parties.invited)
}

/** Every endpoint, and who gets what by it. The rows are tried in this order. */
export const table: readonly AccessRow[] = [
  // What the server says of itself.
  row(getVersions, everybodyWithGoodToken('ok')),
  row(getWellknown, everybody('404 M_NOT_FOUND')),
  row(getHealth, everybody('ok')),
  // On a listener of its own: see the walls between listeners.
  row(getMetrics, everybody('404 M_UNRECOGNIZED')),
  row(getCapabilities, users('ok')),
  row(getLoginFlows, everybody('ok')),
  row(getConfigAuthed, users('ok')),

  // Accounts.
  row(getTokenOwner, usersAndGuests('ok'), undefined, { hidden: ({ alice }) => [alice.userId, alice.deviceId] }),
  row(login, everybody('403 M_FORBIDDEN'), () => ({
    body: { type: 'm.login.password', user: 'alice', password: 'guess' },
  })),
  row(login, everybody('403 M_FORBIDDEN'), ({ alice }) => ({
    body: { type: 'm.login.token', token: alice.accessToken },
  })),
  // Off unless the administrator says otherwise.
  row(generateLoginToken, users('404 M_UNRECOGNIZED'), () => ({ body: {} })),
  row(registrationTokenValidity, everybody('ok'), () => ({ query: { token: 'a' } })),
  row(register, everybody('400 M_USER_IN_USE'), () => ({ body: { username: 'alice', password: 'x' } })),
  row(checkUsernameAvailability, everybody('400 M_USER_IN_USE'), () => ({ query: { username: 'alice' } })),
  row(getRegistrationNonce, everybody('ok')),
  row(registerWithSharedSecret, everybody('400 M_UNKNOWN'), () => ({
    body: { nonce: 'none', username: 'other', password: 'x', admin: true, mac: '00' },
  })),
  row(refresh, everybody('401 M_UNKNOWN_TOKEN'), ({ alice }) => ({ body: { refresh_token: alice.accessToken } })),
  row(changePassword, { ...users('401 interaction'), stranger: '401 interaction' }, () => ({
    body: { new_password: 'x' },
  })),
  row(changePassword, { ...users('401 M_FORBIDDEN'), stranger: '401 M_FORBIDDEN' }, ({ alice }, client) => ({
    body: { new_password: 'x', auth: { ...proof(client), identifier: { type: 'm.id.user', user: alice.userId } } },
  })),
  row(logout, users('ok')),
  row(logoutAll, users('ok')),

  // Devices.
  row(getDevices, usersAndGuests('ok'), undefined, { hidden: ({ alice }) => [alice.deviceId, DEVICE_NAME] }),
  row(getDevice, usersAndGuests('404 M_NOT_FOUND'), device),
  row(updateDevice, usersAndGuests('404 M_NOT_FOUND'), (world) => ({ ...device(world), body: { display_name: 'x' } })),
  row(deleteDevice, users('401 interaction'), (world) => ({ ...device(world), body: {} })),
  row(deleteDevice, users('ok'), (world, client) => ({ ...device(world), body: { auth: proof(client) } })),
  row(deleteDevices, users('401 interaction'), ({ alice }) => ({ body: { devices: [alice.deviceId] } })),
  row(deleteDevices, users('ok'), ({ alice }, client) => ({
    body: { devices: [alice.deviceId], auth: proof(client) },
  })),

  // Profiles: all may read them.
  row(getUserProfile, everybodyWithGoodToken('ok'), (world) => alices(world)),
  row(getProfileField, everybodyWithGoodToken('ok'), (world) => alices(world, { keyName: 'displayname' })),
  row(setProfileField, nobodyNorGuests, (world) => ({
    ...alices(world, { keyName: 'displayname' }),
    body: { displayname: 'x' },
  })),
  row(deleteProfileField, nobodyNorGuests, (world) => alices(world, { keyName: 'displayname' })),

  // What users keep.
  row(getAccountData, nobody, data),
  row(setAccountData, nobody, (world) => ({ ...data(world), body: {} })),
  row(getAccountDataPerRoom, nobody, roomData),
  row(setAccountDataPerRoom, nobody, (world) => ({ ...roomData(world), body: {} })),
  row(getRoomTags, nobody, (world) => alices(world, { roomId: world.roomId })),
  row(setRoomTag, nobody, (world) => ({ ...newTag(world), body: {} })),
  row(deleteRoomTag, nobody, tag),
  row(defineFilter, nobody, (world) => ({ ...alices(world), body: {} })),
  row(getFilter, nobody, (world) => alices(world, { filterId: world.filterId })),
  row(getFilter, users('404 M_NOT_FOUND'), ({ filterId }, { userId }) => ({ params: { userId, filterId } })),
  row(getPushRules, users('ok')),

  // Media: whoever knows where they are.
  row(uploadContent, users('ok'), () => ({ raw: 'bytes' })),
  row(getContentAuthed, usersAndGuests('ok'), (world) => media(world)),
  row(getContentOverrideNameAuthed, usersAndGuests('ok'), (world) => media(world, { fileName: 'x.png' })),

  // Rooms, from outside.
  row(createRoom, users('ok'), () => ({ body: {} })),
  row(getJoinedRooms, users('ok'), undefined, { hidden: ({ roomId }) => [roomId] }),
  row(getRoomIdByAlias, everybody('ok'), ({ alias }) => ({ params: { roomAlias: alias } })),
  row(setRoomAlias, nobody, ({ roomId }) => ({ params: { roomAlias: '#x:example.org' }, body: { room_id: roomId } })),
  row(setRoomAlias, nobody, ({ roomId, alias }) => ({ params: { roomAlias: alias }, body: { room_id: roomId } })),
  row(deleteRoomAlias, nobody, ({ alias }) => ({ params: { roomAlias: alias } })),
  row(getLocalAliases, nobody, room),
  // Before anybody is invited again, who is told what the room is called then.
  row(sync, usersAndGuests('ok'), () => ({
    query: { full_state: 'true', filter: '{"room":{"include_leave":true,"timeline":{"limit":50}}}' },
  })),
  row(joinRoom, { ...nobody, invited: 'ok' }, ({ alias }) => ({ params: { roomIdOrAlias: alias } }), {
    restore: reinvite,
    hidden: () => [],
  }),
  row(joinRoomById, { ...nobodyNorGuests, invited: 'ok' }, room, { restore: reinvite }),
  row(leaveRoom, { ...nobodyNorGuests, former: 'ok', invited: 'ok' }, room, {
    restore: ({ alice, parties, roomId }) => invite(alice, roomId, parties.invited) as Promise<void>,
  }),

  // Rooms, from inside: only former members see something, of then.
  row(getRoomEvents, formerMembers, (world) => ({ ...room(world), query: { dir: 'b', limit: '100' } })),
  row(getRoomEvents, formerMembers, (world) => ({ ...room(world), query: { dir: 'f', limit: '100' } })),
  row(getOneRoomEvent, usersAndGuests('404 M_NOT_FOUND'), later),
  row(getOneRoomEvent, { ...usersAndGuests('404 M_NOT_FOUND'), former: 'ok', banned: 'ok' }, earlier),
  row(getEventContext, { ...nobodyNorGuests, former: '404 M_NOT_FOUND', banned: '404 M_NOT_FOUND' }, later),
  row(getEventContext, formerMembers, (world) => ({ ...earlier(world), query: { limit: '50' } })),
  row(getRoomState, formerMembers, room),
  row(getRoomStateWithKey, formerMembers, ({ roomId }) => ({
    params: { roomId, eventType: 'm.room.name', stateKey: '' },
  })),
  row(
    getRoomStateWithKey,
    { ...nobodyNorGuests, former: '404 M_NOT_FOUND', banned: '404 M_NOT_FOUND' },
    ({ roomId }) => ({ params: { roomId, eventType: 'org.example.state', stateKey: '' } }),
  ),
  row(getMembersByRoom, formerMembers, room),
  row(getJoinedMembersByRoom, nobody, room),
  row(sendMessage, nobodyNorGuests, ({ roomId }) => ({
    params: { roomId, eventType: 'm.room.message', txnId: TestClient.txn() },
    body: { body: 'x' },
  })),
  row(setRoomStateWithKey, nobodyNorGuests, ({ roomId }) => ({
    params: { roomId, eventType: 'm.room.name', stateKey: '' },
    body: { name: 'x' },
  })),
  row(setRoomStateWithKey, nobodyNorGuests, ({ roomId, alice }) => ({
    params: { roomId, eventType: 'm.room.member', stateKey: alice.userId },
    body: { membership: 'leave' },
  })),
  row(redactEvent, nobody, ({ roomId, earlier: eventId }) => ({
    params: { roomId, eventId, txnId: TestClient.txn() },
    body: {},
  })),
  row(inviteUser, nobody, ({ roomId, parties }) => ({
    params: { roomId },
    body: { user_id: parties.unrelated.userId },
  })),
  row(kick, nobody, aboutAlice),
  row(ban, nobody, aboutAlice),
  row(unban, nobody, ({ roomId, parties }) => ({ params: { roomId }, body: { user_id: parties.banned.userId } })),
  row(setTyping, nobody, ({ roomId }, { userId }) => ({ params: { roomId, userId }, body: { typing: true } })),
  row(setTyping, nobody, ({ roomId, alice }) => ({ params: { roomId, userId: alice.userId }, body: { typing: true } })),
  row(postReceipt, nobody, ({ roomId, earlier: eventId }) => ({ params: { roomId, eventId, receiptType: 'm.read' } })),
  row(setReadMarker, nobody, ({ roomId, earlier: eventId }) => ({
    params: { roomId },
    body: { 'm.fully_read': eventId, 'm.read': eventId },
  })),

  // Encryption.
  row(queryKeys, usersAndGuests('ok'), ({ alice }) => ({ body: { device_keys: { [alice.userId]: [] } } }), {
    hidden: ({ userSigningKey }) => [userSigningKey],
  }),
  row(
    claimKeys,
    usersAndGuests('ok'),
    ({ alice }) => ({ body: { one_time_keys: { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } } } }),
    { restore: async () => {} },
  ),
  row(uploadKeys, usersAndGuests('400 M_INVALID_PARAM'), ({ alice: { userId, deviceId } }) => ({
    body: { device_keys: { user_id: userId, device_id: deviceId, algorithms: [], keys: {}, signatures: {} } },
  })),
  row(getKeysChanges, users('400 M_INVALID_PARAM'), () => ({ query: { from: 'x', to: 'y' } })),
  row(uploadCrossSigningKeys, users('400 M_INVALID_PARAM'), ({ alice }, client) => ({
    body: {
      auth: proof(client),
      master_key: { user_id: alice.userId, usage: ['master'], keys: { 'ed25519:a': 'a' } },
    },
  })),
  row(uploadCrossSigningSignatures, users('ok'), ({ alice: { userId, deviceId } }, client) => ({
    body: {
      [userId]: {
        [deviceId]: {
          user_id: userId,
          device_id: deviceId,
          algorithms: [],
          keys: {},
          signatures: { [client.userId]: { 'ed25519:x': 'x' } },
        },
      },
    },
  })),
  row(
    sendToDevice,
    usersAndGuests('ok'),
    ({ alice }) => ({
      params: { eventType: 'org.example.message', txnId: TestClient.txn() },
      body: { messages: { [alice.userId]: { [alice.deviceId]: {} } } },
    }),
    { restore: async () => {} },
  ),
  row(getRoomKeysVersionCurrent, users('404 M_NOT_FOUND')),
  row(getRoomKeysVersion, users('404 M_NOT_FOUND'), (world) => ({ params: version(world) })),
  row(putRoomKeysVersion, users('404 M_NOT_FOUND'), (world) => ({
    params: version(world),
    body: { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} },
  })),
  row(deleteRoomKeysVersion, users('404 M_NOT_FOUND'), (world) => ({ params: version(world) })),
  row(getRoomKeys, users('404 M_NOT_FOUND'), (world) => ({ query: version(world) })),
  row(putRoomKeys, users('404 M_NOT_FOUND'), (world) => ({ query: version(world), body: { rooms: {} } })),
  row(deleteRoomKeys, users('404 M_NOT_FOUND'), (world) => ({ query: version(world) })),
  row(getRoomKeysByRoomId, users('404 M_NOT_FOUND'), (world) => ({ ...room(world), query: version(world) })),
  row(putRoomKeysByRoomId, users('404 M_NOT_FOUND'), (world) => ({
    ...room(world),
    query: version(world),
    body: { sessions: { session: backedUp } },
  })),
  row(deleteRoomKeysByRoomId, users('404 M_NOT_FOUND'), (world) => ({ ...room(world), query: version(world) })),
  ...[getRoomKeyBySessionId, putRoomKeyBySessionId, deleteRoomKeyBySessionId].map((endpoint) =>
    row(endpoint, users('404 M_NOT_FOUND'), (world) => ({
      params: { roomId: world.roomId, sessionId: 'session' },
      query: version(world),
      ...(endpoint.method === 'PUT' ? { body: backedUp } : {}),
    })),
  ),
  // Their own backup, of the same version.
  row(postRoomKeysVersion, users('ok'), () => ({
    body: { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: {} },
  })),
  row(getRoomKeys, users('ok'), (world) => ({ query: version(world) })),

  // Last: whoever forgets a room sees nothing more of it.
  row(forgetRoom, { ...users('400 M_UNKNOWN'), former: 'ok', banned: 'ok' }, room),
  row(getRoomEvents, nobodyNorGuests, (world) => ({ ...room(world), query: { dir: 'b' } })),
  row(getRoomState, nobodyNorGuests, room),
]
