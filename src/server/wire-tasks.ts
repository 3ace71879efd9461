import { PruneRedactedEvent } from '#services/events/redacted-content.ts'
import { ForgetOldRows } from '#services/housekeeping/forget-old-rows.ts'
import { ForgetOldStates } from '#services/housekeeping/forget-old-states.ts'
import { CollectStates } from '#services/rooms/collect-states.ts'
import { PurgeRoom, RoomPurges } from '#services/rooms/purge.ts'
import { TaskRunner } from '#tasks/runner.ts'
import { type ReadyTask, ready } from '#tasks/task.ts'
import { randomLowerAlphanumeric } from '#util/random.ts'
import type { Foundation } from './wire-foundation.ts'
import type { wireRooms } from './wire-rooms.ts'

/** Durable work in the background, and who asks for it. */
export const wireTasks = (foundation: Foundation, { rooms }: Awaited<ReturnType<typeof wireRooms>>) => {
  const deps = { ...foundation, rooms }
  const tasks: readonly ReadyTask[] = [
    ready(PruneRedactedEvent, deps),
    ready(PurgeRoom, deps),
    ready(CollectStates, deps),
    ready(ForgetOldRows, deps),
    ready(ForgetOldStates, deps),
  ]
  const taskRunner = new TaskRunner({ ...foundation, runner: randomLowerAlphanumeric(foundation.random, 12) })
  return { tasks, taskRunner, roomPurges: new RoomPurges(deps) }
}
