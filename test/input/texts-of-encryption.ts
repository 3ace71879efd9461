import { updateDevice } from '#api/client/device-management.ts'
import {
  getRoomKeyBySessionId,
  getRoomKeys,
  getRoomKeysVersionCurrent,
  postRoomKeysVersion,
  putRoomKeyBySessionId,
} from '#api/client/key-backup.ts'
import { claimKeys, queryKeys, uploadKeys } from '#api/client/keys.ts'
import { sendToDevice } from '#api/client/to-device.ts'
import { TestClient } from '#test/helpers/client.ts'
import { publishDevice } from '#test/helpers/encryption.ts'
import { never, row, type TextRow } from './text-row.ts'
import { news } from './text-world.ts'

const ALGORITHM = 'm.megolm_backup.v1.curve25519-aes-sha2'

/** What belongs to encryption. */
export const textsOfEncryption: readonly TextRow[] = [
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
      const { version } = await alice.call(postRoomKeysVersion, { body: { algorithm: ALGORITHM, auth_data: data } })
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
      const { version } = await alice.call(postRoomKeysVersion, { body: { algorithm: ALGORITHM, auth_data: {} } })
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
