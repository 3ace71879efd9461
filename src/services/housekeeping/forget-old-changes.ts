import * as z from 'zod'
import { scheduleCollection } from '#services/rooms/collect-states.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  entriesBetween,
  oldCurrentStates,
  oldEntriesRemoved,
  PASSING_KINDS,
  roomsAfter,
} from '#storage/stores/old-rows.ts'
import { currentStateRemoved } from '#storage/stores/states.ts'
import type { Feed } from '#streams/feed.ts'
import type { Scheduler } from '#tasks/scheduler.ts'
import { task } from '#tasks/task.ts'
import type { Clock } from '#util/clock.ts'
import { nextTurn } from '#util/next-turn.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly feed: Feed
  readonly scheduler: Scheduler
}

const DAY_MS = 86_400_000
/** Clients that come back after longer are told a room's state by its last event before their token, which is the same but after forks. */
const STATES_KEPT_MS = 30 * DAY_MS
/** Whoever follows the log and was away for longer compares the tables. */
const ENTRIES_KEPT_MS = 7 * DAY_MS
/** How many rooms, rows of one room or entries of the log are looked at in one step. */
const STEP = 200
const ENTRY_STEP = 1_000
/** So many states that belong to no event are worth reading all of a room. */
const ENOUGH_LOOSE = 50

/** Where the log stood at that time. */
const MARK = z.object({ ts: z.number(), pos: z.number() })

/**
 * Removes what rooms' current states were a month ago and longer, and what the log said a week ago of rows that are gone. Its payload
 * remembers where the log stood on each day of the last month, and how far it was gone through.
 */
export const ForgetOldChanges = task('forget_old_changes', {
  payload: z.object({ marks: z.array(MARK), entriesDone: z.number() }),
  every: { ms: DAY_MS, first: { marks: [], entriesDone: 0 } },
  run: async (deps: Deps, { marks, entriesDone }, signal) => {
    const now = deps.clock.now()
    const all = [...marks, { ts: now, pos: deps.feed.applied }]
    const stoodAt = (agoMs: number) => all.findLast(({ ts }) => ts <= now - agoMs)?.pos
    const entriesUpTo = Math.max(stoodAt(ENTRIES_KEPT_MS) ?? 0, entriesDone)
    await forgetEntries({ after: entriesDone, upTo: entriesUpTo }, deps, signal)
    const statesUpTo = stoodAt(STATES_KEPT_MS)
    if (statesUpTo !== undefined) await forgetStates(statesUpTo, deps, signal)
    return { payload: { marks: all.filter(({ ts }) => ts > now - STATES_KEPT_MS), entriesDone: entriesUpTo } }
  },
})

type Range = { readonly after: number; readonly upTo: number }

async function forgetEntries({ after, upTo }: Range, { db, commit }: Deps, signal: AbortSignal): Promise<void> {
  for (let at = after; ; ) {
    signal.throwIfAborted()
    const entries = await entriesBetween(db, { after: at, upTo, limit: ENTRY_STEP })
    const last = entries.at(-1)
    if (last === undefined) return
    if (entries.some(({ kind }) => PASSING_KINDS.has(kind)))
      await commit(new Change().write(oldEntriesRemoved, { after: at, upTo: last.pos }))
    at = last.pos
    await nextTurn()
  }
}

async function forgetStates(pos: number, deps: Deps, signal: AbortSignal): Promise<void> {
  for (let after = 0; ; ) {
    const rooms = await roomsAfter(deps.db, after, STEP)
    const last = rooms.at(-1)
    if (last === undefined) return
    for (const room of rooms) await forgetStatesOf(room, pos, deps)
    after = last
    signal.throwIfAborted()
    await nextTurn()
  }
}

async function forgetStatesOf(room: number, pos: number, deps: Deps): Promise<void> {
  let loose = 0
  for (;;) {
    const found = await oldCurrentStates(deps.db, room, { upTo: pos, limit: STEP })
    const last = found.at(-1)
    // The last of them was still current at that position: it stays.
    if (last === undefined || found.length === 1) return
    loose += found.filter(({ isLoose }) => isLoose).length
    const change = new Change().write(currentStateRemoved, { room, upTo: last.pos })
    if (loose >= ENOUGH_LOOSE) {
      await scheduleCollection(change, room, deps)
      loose = 0
    }
    await deps.commit(change)
  }
}
