import { Readable } from 'node:stream'
import type * as z from 'zod'
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
import { Download, type Route, route } from '#http/server/route.ts'
import type { BackedUpKeys, PlacedKey, RoomKey } from '#services/encryption/backed-up-keys.ts'
import type { BackupInfo, KeyBackups } from '#services/encryption/key-backups.ts'

type Services = { readonly keyBackups: KeyBackups; readonly backedUpKeys: BackedUpKeys }

/** Keys of rooms that clients back up. https://spec.matrix.org/v1.19/client-server-api/#server-side-key-backups */
export const keyBackupRoutes = (services: Services): Route[] => [
  ...versionRoutes(services),
  ...puttingRoutes(services),
  ...gettingRoutes(services),
  ...deletingRoutes(services),
]

const versionRoutes = ({ keyBackups }: Services): Route[] => [
  route(postRoomKeysVersion, async ({ requester, body: { algorithm, auth_data } }) => ({
    version: await keyBackups.create(requester, { algorithm, authData: auth_data }),
  })),
  route(getRoomKeysVersionCurrent, async ({ requester }) => printInfo(await keyBackups.current(requester))),
  route(getRoomKeysVersion, async ({ requester, params }) =>
    printInfo(await keyBackups.info(requester, params.version)),
  ),
  route(putRoomKeysVersion, async ({ requester, params, body: { algorithm, auth_data, version } }) => {
    await keyBackups.update(requester, params.version, { algorithm, authData: auth_data, claimed: version })
    return {}
  }),
  route(deleteRoomKeysVersion, async ({ requester, params }) => {
    await keyBackups.delete(requester, params.version)
    return {}
  }),
]

const puttingRoutes = ({ backedUpKeys }: Services): Route[] => [
  route(putRoomKeys, ({ requester, query, body }) =>
    backedUpKeys.put(
      requester,
      query.version,
      Object.entries(body.rooms).flatMap(([roomId, room]) => keysOf(roomId, room)),
    ),
  ),
  route(putRoomKeysByRoomId, ({ requester, params, query, body }) =>
    backedUpKeys.put(requester, query.version, keysOf(params.roomId, body)),
  ),
  route(putRoomKeyBySessionId, ({ requester, params, query, body }) =>
    backedUpKeys.put(requester, query.version, [{ ...params, ...readKey(body) }]),
  ),
]

const gettingRoutes = ({ backedUpKeys }: Services): Route[] => [
  route(getRoomKeys, async ({ requester, query }) => streamed(await backedUpKeys.printAll(requester, query.version))),
  route(getRoomKeysByRoomId, async ({ requester, params, query }) =>
    streamed(await backedUpKeys.printRoom(requester, query.version, params.roomId)),
  ),
  route(getRoomKeyBySessionId, async ({ requester, params, query }) => {
    const key = await backedUpKeys.one(requester, query.version, params)
    return {
      first_message_index: key.firstMessageIndex,
      forwarded_count: key.forwardedCount,
      is_verified: key.isVerified,
      session_data: key.sessionData,
    }
  }),
]

const deletingRoutes = ({ backedUpKeys }: Services): Route[] => [
  route(deleteRoomKeys, ({ requester, query }) => backedUpKeys.remove(requester, query.version, {})),
  route(deleteRoomKeysByRoomId, ({ requester, params, query }) =>
    backedUpKeys.remove(requester, query.version, params),
  ),
  route(deleteRoomKeyBySessionId, ({ requester, params, query }) =>
    backedUpKeys.remove(requester, query.version, params),
  ),
]

type WrittenKey = z.output<typeof putRoomKeyBySessionId.body>
type WrittenRoom = z.output<typeof putRoomKeysByRoomId.body>

const readKey = (key: WrittenKey): RoomKey => ({
  firstMessageIndex: key.first_message_index,
  forwardedCount: key.forwarded_count,
  isVerified: key.is_verified,
  sessionData: key.session_data,
})

const keysOf = (roomId: string, { sessions }: WrittenRoom): PlacedKey[] =>
  Object.entries(sessions).map(([sessionId, key]) => ({ roomId, sessionId, ...readKey(key) }))

const printInfo = ({ authData, ...info }: BackupInfo) => ({ ...info, auth_data: authData })

const streamed = (pieces: AsyncIterable<string>): Download =>
  new Download({ 'content-type': 'application/json' }, Readable.from(pieces))
