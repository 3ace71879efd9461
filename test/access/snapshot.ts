import { getDevices } from '#api/client/device-management.ts'
import { getLocalAliases } from '#api/client/directory.ts'
import { getFilter } from '#api/client/filter.ts'
import { getRoomKeys, getRoomKeysVersionCurrent } from '#api/client/key-backup.ts'
import { queryKeys } from '#api/client/keys.ts'
import { getRoomEvents } from '#api/client/message-pagination.ts'
import { getUserProfile } from '#api/client/profile.ts'
import { getPushRules } from '#api/client/pushrules.ts'
import { getMembersByRoom, getRoomState } from '#api/client/rooms.ts'
import { sync } from '#api/client/sync.ts'
import { isRouted, type World } from './world.ts'

/** Everything that is Alice's, as she sees it: what others do must not change it. */
export const snapshotOf = async (world: World): Promise<unknown> => {
  const { alice, roomId, filterId, backupVersion } = world
  const { userId } = alice
  const { devices } = await alice.call(getDevices)
  const query = { timeout: '0', full_state: 'true' }
  const parts: unknown[] = [
    devices?.map(({ device_id, display_name }) => [device_id, display_name]),
    await alice.call(sync, { query }),
    await alice.call(getRoomState, { params: { roomId } }),
    await alice.call(getMembersByRoom, { params: { roomId } }),
    (await alice.call(getRoomEvents, { params: { roomId }, query: { dir: 'b', limit: '100' } })).chunk,
    await alice.call(getLocalAliases, { params: { roomId } }),
    await alice.call(getUserProfile, { params: { userId } }),
    await alice.call(getFilter, { params: { userId, filterId } }),
    await alice.call(getPushRules),
  ]
  if (isRouted(world, getRoomKeys)) {
    parts.push(
      await alice.call(getRoomKeysVersionCurrent),
      await alice.call(getRoomKeys, { query: { version: backupVersion } }),
    )
  }
  if (isRouted(world, queryKeys)) parts.push(await alice.call(queryKeys, { body: { device_keys: { [userId]: [] } } }))
  return JSON.parse(JSON.stringify(parts, (key, value) => (VARYING.has(key) ? undefined : value)))
}

/** Differs from one look to the next. */
const VARYING = new Set(['age', 'next_batch', 'prev_batch', 'last_seen_ts', 'failures'])
