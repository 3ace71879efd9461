import * as z from 'zod'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { oldCurrentStates, roomsAfter } from '#storage/stores/old-rows.ts'
import { currentStateRemoved } from '#storage/stores/states.ts'
import type { Feed } from '#streams/feed.ts'
import { task } from '#tasks/task.ts'
import type { Clock } from '#util/clock.ts'
import { nextTurn } from '#util/next-turn.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly clock: Clock; readonly feed: Feed }

const DAY_MS = 86_400_000
/** Clients that come back after longer are told a room's state by its last event before their token, which is the same but after forks. */
const KEPT_MS = 30 * DAY_MS
/** How many rooms are looked at, and how many rows of one go, in one step. */
const STEP = 200

/** Where the log stood at that time. */
const MARK = z.object({ ts: z.number(), pos: z.number() })
type Mark = z.infer<typeof MARK>

/** Removes what rooms' current states were a month ago and longer. Its payload remembers where the log stood on each day of the last month. */
export const ForgetOldStates = task('forget_old_states', {
  payload: z.object({ marks: z.array(MARK) }),
  every: { ms: DAY_MS, first: { marks: [] } },
  run: async (deps: Deps, { marks }, signal) => {
    const now = deps.clock.now()
    const all = [...marks, { ts: now, pos: deps.feed.applied }]
    const old = all.filter(({ ts }) => ts <= now - KEPT_MS)
    const last = old.at(-1)
    if (last !== undefined) await forgetUpTo(last.pos, deps, signal)
    return { payload: { marks: kept(all, last) } }
  },
})

const kept = (marks: readonly Mark[], done: Mark | undefined): Mark[] =>
  marks.filter(({ ts }) => done === undefined || ts > done.ts)

async function forgetUpTo(pos: number, deps: Deps, signal: AbortSignal): Promise<void> {
  for (let after = 0; ; ) {
    const rooms = await roomsAfter(deps.db, after, STEP)
    const last = rooms.at(-1)
    if (last === undefined) return
    for (const room of rooms) await forgetOfRoom(room, pos, deps)
    after = last
    signal.throwIfAborted()
    await nextTurn()
  }
}

async function forgetOfRoom(room: number, pos: number, { db, commit }: Deps): Promise<void> {
  for (;;) {
    const found = await oldCurrentStates(db, room, { upTo: pos, limit: STEP })
    const upTo = found.at(-1)
    // The last of them was still current at that position: it stays.
    if (upTo === undefined || found.length === 1) return
    await commit(new Change().write(currentStateRemoved, { room, upTo }))
  }
}
