import {
  getAccountData,
  getAccountDataPerRoom,
  setAccountData,
  setAccountDataPerRoom,
} from '#api/client/account-data.ts'
import { getContentAuthed, getContentOverrideNameAuthed } from '#api/client/authed-content-repo.ts'
import { uploadContent } from '#api/client/content-repo.ts'
import { getDevice, getDevices, updateDevice } from '#api/client/device-management.ts'
import { defineFilter, getFilter } from '#api/client/filter.ts'
import { login } from '#api/client/login.ts'
import { getProfileField, getUserProfile, setProfileField } from '#api/client/profile.ts'
import { getJoinedMembersByRoom } from '#api/client/rooms.ts'
import { getRoomTags, setRoomTag } from '#api/client/tags.ts'
import { getTokenOwner } from '#api/client/whoami.ts'
import type { TestClient } from '#test/helpers/client.ts'
import { never, row, type TextRow, whereNoUtf8 } from './text-row.ts'
import { news } from './text-world.ts'

/** As they came: a schema would leave `__proto__` out. */
const tagsOf = async (client: TestClient, roomId: string): Promise<Record<string, unknown>> => {
  const { body } = await client.send(getRoomTags, { params: { userId: client.userId, roomId } })
  return (body as { readonly tags: Record<string, unknown> }).tags
}

const accountDataType = 'org.example.data'

/** What users are called, and what they keep. */
export const textsOfUsers: readonly TextRow[] = [
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
]
