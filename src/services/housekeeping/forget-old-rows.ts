import * as z from 'zod'
import type { Sweeper } from '#services/accounts/interactive-auth/sweeper.ts'
import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import {
  oldCommitsRemoved,
  oldCommitTs,
  oldTransactionsRemoved,
  oldTransactionTs,
  sessionsOverBefore,
} from '#storage/stores/old-rows.ts'
import {
  accessTokensRemoved,
  expiredLoginTokensRemoved,
  refreshTokensRemoved,
  sessionRemoved,
} from '#storage/stores/sessions.ts'
import { endedTasksRemoved } from '#storage/stores/tasks.ts'
import { task } from '#tasks/task.ts'
import type { Clock } from '#util/clock.ts'

type Deps = { readonly db: Reader; readonly commit: Commit; readonly clock: Clock; readonly sweeper: Sweeper }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** How many rows go in one step. */
const STEP = 500

/** A client that repeats a request does so soon; Synapse forgets as late. */
const TRANSACTIONS_KEPT_MS = DAY_MS
const COMMITS_KEPT_MS = 6 * HOUR_MS
/** Tokens of a session that is over tell a client so, which then keeps its keys: as long as it may come back. */
const SESSIONS_KEPT_MS = 90 * DAY_MS

/** Removes what was of use only for a while: transaction IDs, the books of batches, sessions that are long over, ways in that nobody went, tasks that ended. */
export const ForgetOldRows = task('forget_old_rows', {
  payload: z.null(),
  every: { ms: HOUR_MS, first: null },
  run: async (deps: Deps, _, signal) => {
    const now = deps.clock.now()
    await forget(deps, signal, {
      before: now - TRANSACTIONS_KEPT_MS,
      find: oldTransactionTs,
      remove: (upTo) => new Change().write(oldTransactionsRemoved, { upTo }),
    })
    await forget(deps, signal, {
      before: now - COMMITS_KEPT_MS,
      find: oldCommitTs,
      remove: (upTo) => new Change().write(oldCommitsRemoved, { upTo }),
    })
    await forgetSessions(deps, now - SESSIONS_KEPT_MS, signal)
    await deps.sweeper.sweep()
    return { change: new Change().write(endedTasksRemoved, { before: now }).write(expiredLoginTokensRemoved, { now }) }
  },
})

type Kind = {
  readonly before: number
  /** The time of the row that has `offset` older ones, if it is one of those that are to go. */
  readonly find: (db: Reader, before: number, offset: number) => Promise<number | undefined>
  readonly remove: (upTo: number) => Change
}

async function forget({ db, commit }: Deps, signal: AbortSignal, { before, find, remove }: Kind): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const upTo = await find(db, before, STEP - 1)
    await commit(remove(upTo ?? before - 1))
    if (upTo === undefined) return
  }
}

async function forgetSessions({ db, commit }: Deps, before: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const over = await sessionsOverBefore(db, before, STEP)
    if (over.length === 0) return
    const change = new Change()
    for (const session of over)
      change
        .write(accessTokensRemoved, { session })
        .write(refreshTokensRemoved, { session })
        .write(sessionRemoved, { session })
    await commit(change)
  }
}
