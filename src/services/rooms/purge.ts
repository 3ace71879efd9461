import * as z from 'zod'
import { notFound, unknown } from '#protocol/errors.ts'
import type { RoomId } from '#protocol/identifiers.ts'
import type { ActiveRoom } from '#rooms/active-room.ts'
import type { MembershipIndex } from '#rooms/membership-index.ts'
import type { RoomRegistry } from '#rooms/registry.ts'
import type { RoomViews } from '#rooms/views.ts'
import type { Audit } from '#services/audit.ts'
import { Change, LOG_KIND } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { membershipsOfRoom } from '#storage/stores/memberships.ts'
import {
  accountDataPurged,
  aliasesPurged,
  membershipPurged,
  ownLogPurged,
  roomPurged,
  unreadMarksPurged,
} from '#storage/stores/purge.ts'
import { roomUnchanged } from '#storage/stores/rooms.ts'
import type { Scheduler } from '#tasks/scheduler.ts'
import { task } from '#tasks/task.ts'
import { purgeRows } from './purge-rows.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly rooms: RoomRegistry
  readonly views: RoomViews
  readonly memberships: MembershipIndex
}

const DAY_MS = 86_400_000
/** How many members lose the room in one step. */
const STEP = 200

const PURGE = z.object({ room: z.number(), roomId: z.string(), isForced: z.boolean() })
type Purge = z.infer<typeof PURGE>

/** Removes a room with all that was in it. */
export const PurgeRoom = task('purge_room', {
  payload: PURGE,
  exclusion: ({ room }) => `room:${room}`,
  keptMs: 7 * DAY_MS,
  run: async (deps: Deps, purge, signal) => {
    await closeRoom(deps, purge)
    await purgeRows(purge.room, deps, signal)
    return undefined
  },
})

type PurgesDeps = Deps & { readonly scheduler: Scheduler; readonly audit: Audit }

/** How a room is purged. */
export type PurgeOptions = {
  /** Even while users of this server are in it. */
  readonly isForced?: boolean
  /** The administrator who wants it; left out where no administrator does. */
  readonly by?: { readonly actor: number | undefined }
}

/** Lets rooms be as if they had never been. */
export class RoomPurges {
  readonly #deps: PurgesDeps

  constructor(deps: PurgesDeps) {
    this.#deps = deps
  }

  /**
   * Has the room removed in the background; resolves to the number of the task. While users of this server are in it, that takes
   * `isForced`: their clients are not told. Throws where there is no such room.
   */
  async purgeRoom(roomId: RoomId, { isForced = false, by }: PurgeOptions = {}): Promise<number> {
    const { rooms, memberships, scheduler, commit, audit } = this.#deps
    const room = await rooms.byId(roomId)
    if (room === undefined) throw notFound('There is no such room')
    if (!isForced && isInUse(await memberships.ofRoom(room.room)))
      throw unknown('Users of this server are in the room', { status: 400 })
    const change = new Change()
    const task = await scheduler.schedule(change, PurgeRoom, { room: room.room, roomId, isForced })
    if (by !== undefined)
      await audit.write(change, { ...by, action: 'purge_room', subject: roomId, detail: { isForced } })
    await commit(change)
    return task
  }
}

/** Takes the room from its members, and then away. Nothing happens in it meanwhile; afterwards nobody finds it. */
async function closeRoom(deps: Deps, purge: Purge): Promise<void> {
  const { rooms, memberships } = deps
  const active = await rooms.byId(purge.roomId)
  if (active === undefined || active.room !== purge.room) return
  await active.queue.run(async () => {
    if (active.isDropped) throw new Error('the room moved on while it was waited for')
    if (!purge.isForced && isInUse(await memberships.ofRoom(purge.room)))
      throw new Error('users of this server came into the room')
    while (await removeMembers(active, deps));
    await removeRoom(active, deps)
  })
}

const isInUse = (users: ReadonlyMap<number, string>): boolean =>
  users.values().some((membership) => membership === 'join')

/** Takes the room from some more of its members; false if there were none. */
async function removeMembers(active: ActiveRoom, deps: Deps): Promise<boolean> {
  const { db, memberships } = deps
  const { room } = active
  const members = await membershipsOfRoom(db, { room, after: 0, limit: STEP })
  if (members.length === 0) return false
  const change = fenced(active)
  for (const { user } of members) {
    const member = { room, user }
    change.write(membershipPurged, member).write(accountDataPurged, member)
    change.write(unreadMarksPurged, member).write(ownLogPurged, member)
  }
  change.onCommitted(() => {
    for (const { user } of members) memberships.dropUser(user)
    memberships.dropRoom(room)
  })
  await written(change, active, deps)
  return true
}

async function removeRoom(active: ActiveRoom, deps: Deps): Promise<void> {
  const { views, rooms, memberships } = deps
  const { room, roomId } = active
  const change = fenced(active).write(aliasesPurged, { room }).write(roomPurged, { room })
  change.log({ kind: LOG_KIND.purged, item: room })
  change.onCommitted(() => {
    rooms.forget(room, roomId)
    views.forget(room, roomId)
    memberships.dropRoom(room)
  })
  await written(change, active, deps)
}

/** A change that is refused if somebody else wrote to the room. In the room's lane, so that it comes after what is on its way already. */
const fenced = ({ room, head }: ActiveRoom): Change =>
  new Change({ lane: room }).require(roomUnchanged, { room, writeNumber: head.writeNumber })

async function written(change: Change, active: ActiveRoom, { commit, rooms }: Deps): Promise<void> {
  const outcome = await commit(change)
  if (outcome.ok) return
  rooms.drop(active)
  throw new Error(`the room was written to meanwhile: ${outcome.refusedBy}`)
}
