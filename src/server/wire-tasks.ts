import { PruneRedactedEvent } from '#services/events/redacted-content.ts'
import { ForgetOldChanges } from '#services/housekeeping/forget-old-changes.ts'
import { ForgetOldRows } from '#services/housekeeping/forget-old-rows.ts'
import { CollectStates } from '#services/rooms/collect-states.ts'
import { PurgeRoom, RoomPurges } from '#services/rooms/purge.ts'
import { RemoveGuests } from '#services/rooms/remove-guests.ts'
import { TaskRunner } from '#tasks/runner.ts'
import { type ReadyTask, ready } from '#tasks/task.ts'
import { randomLowerAlphanumeric } from '#util/random.ts'
import type { wireAccounts } from './wire-accounts.ts'
import type { Foundation } from './wire-foundation.ts'
import type { wireRooms } from './wire-rooms.ts'

type Rooms = Pick<Awaited<ReturnType<typeof wireRooms>>, 'rooms' | 'sender'>
type Accounts = Pick<ReturnType<typeof wireAccounts>, 'sweeper' | 'audit'>

/** Durable work in the background, and who asks for it. */
export const wireTasks = (foundation: Foundation, { rooms, sender, sweeper, audit }: Rooms & Accounts) => {
  const deps = { ...foundation, rooms, sender, sweeper, audit }
  const tasks: readonly ReadyTask[] = [
    ready(PruneRedactedEvent, deps),
    ready(PurgeRoom, deps),
    ready(RemoveGuests, deps),
    ready(CollectStates, deps),
    ready(ForgetOldRows, deps),
    ready(ForgetOldChanges, deps),
  ]
  const taskRunner = new TaskRunner({ ...foundation, runner: randomLowerAlphanumeric(foundation.random, 12) })
  return { tasks, taskRunner, roomPurges: new RoomPurges(deps) }
}
