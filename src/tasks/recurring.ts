import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { waitingOnce } from '#storage/stores/tasks.ts'
import type { Clock } from '#util/clock.ts'
import type { Scheduler } from './scheduler.ts'
import type { ReadyTask } from './task.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly clock: Clock; readonly scheduler: Scheduler }

const wordOf = (name: string): string => `every:${name}`

/** Sees to it that each recurring task waits for its time, once in the whole deployment. */
export const ensureRecurring = async (tasks: readonly ReadyTask[], deps: Deps): Promise<void> => {
  const { db, commit, clock, scheduler } = deps
  const recurring = tasks.flatMap(({ name, everyMs, first }) =>
    everyMs === undefined || first === undefined ? [] : [{ name, everyMs, first }],
  )
  const waiting = await waitingOnce(
    db,
    recurring.map(({ name }) => wordOf(name)),
  )
  const change = new Change()
  for (const { name, everyMs, first } of recurring) {
    if (waiting.has(wordOf(name))) continue
    await scheduler.schedule(change, { name, exclusion: () => first.exclusion }, JSON.parse(first.payload), {
      dueTs: clock.now() + everyMs,
      once: wordOf(name),
    })
  }
  if (change.operations.length > 0) await commit(change)
}
