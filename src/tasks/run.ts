import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import { type DueTask, taskEnded, taskHeld, taskIsHeld, taskPutBack, taskRemoved } from '#storage/stores/tasks.ts'
import type { Clock } from '#util/clock.ts'
import { inLogContext, newLogContext } from '#util/log-context.ts'
import type { Logger } from '#util/logger.ts'
import type { ReadyTask, TaskEnd } from './task.ts'

/** For so long a process has a task for itself without saying so again; if it dies, another one takes it then. */
export const LEASE_MS = 60_000
const HOLD_EVERY_MS = 20_000
const MAX_BACKOFF_MS = 3_600_000
const FAILED_KEPT_MS = 7 * 86_400_000
/** Of an error's text so much is kept. */
const MAX_ERROR_LENGTH = 1_000

/** A task that runs. */
export type Run = { readonly exclusion: string; readonly abort: AbortController; readonly done: Promise<void> }

type Deps = { readonly commit: Commit; readonly clock: Clock; readonly log: Logger; readonly runner: string }

/** Runs a claimed task and writes down how it ended. Never fails. */
export const runTask = (task: ReadyTask, row: DueTask, signal: AbortSignal, deps: Deps): Promise<void> =>
  inLogContext(newLogContext(`${task.name}-${row.task}`), async () => {
    const letGo = holdOn(row, deps)
    try {
      const end = await task.run(row.payload, signal)
      await written(afterRun(task, row, end, deps), deps)
    } catch (error) {
      await failed(task, row, { error, signal }, deps)
    } finally {
      letGo()
    }
  })

/** Tells the database now and then that the task still runs. */
function holdOn({ task }: DueTask, { commit, clock, log, runner }: Deps): () => void {
  let cancel = () => {}
  const plan = () => {
    cancel = clock.after(HOLD_EVERY_MS, () => {
      const dueTs = clock.now() + LEASE_MS
      commit(new Change().write(taskHeld, { task, runner, dueTs })).catch((error) =>
        log.warn('task_not_held', { task, error: String(error) }),
      )
      plan()
    })
  }
  plan()
  return () => cancel()
}

/** The change that ends a task whose run came to its end. */
function afterRun(
  { everyMs, keptMs }: ReadyTask,
  { task, payload }: DueTask,
  end: TaskEnd<unknown> | undefined,
  { clock, runner }: Deps,
): Change {
  // Should another process have taken it meanwhile, what it ends with is that one's to write.
  const change = (end?.change ?? new Change()).require(taskIsHeld, { task, runner })
  const now = clock.now()
  if (everyMs !== undefined) {
    const next = end?.payload === undefined ? payload : JSON.stringify(end.payload)
    return change.write(taskPutBack, {
      task,
      runner,
      dueTs: now + everyMs,
      attempts: 0,
      payload: next,
      error: undefined,
    })
  }
  if (keptMs === 0) return change.write(taskRemoved, { task, runner })
  return change.write(taskEnded, {
    task,
    runner,
    status: 'done',
    dueTs: now + keptMs,
    result: end?.result === undefined ? undefined : JSON.stringify(end.result),
    error: undefined,
  })
}

async function failed(
  task: ReadyTask,
  row: DueTask,
  { error, signal }: { readonly error: unknown; readonly signal: AbortSignal },
  deps: Deps,
): Promise<void> {
  const { clock, log, runner } = deps
  const reason = error instanceof Error ? error.message : String(error)
  if (!signal.aborted) log.error('task_failed', { task: row.task, name: task.name, attempt: row.attempts + 1, reason })
  const change = signal.aborted ? interrupted(row, deps) : afterFailure(task, row, reason, { clock, runner })
  try {
    await written(change, deps)
  } catch (cause) {
    // Its time runs out in the database, and then it is run again.
    log.warn('task_end_not_written', { task: row.task, error: String(cause) })
  }
}

/** The process stops: the next one goes on at once, and the run does not count. */
const interrupted = ({ task, attempts, payload }: DueTask, { clock, runner }: Pick<Deps, 'clock' | 'runner'>): Change =>
  new Change().write(taskPutBack, { task, runner, dueTs: clock.now(), attempts, payload, error: undefined })

function afterFailure(
  { everyMs, maxAttempts, backoffMs }: ReadyTask,
  { task, attempts, payload }: DueTask,
  reason: string,
  { clock, runner }: Pick<Deps, 'clock' | 'runner'>,
): Change {
  const now = clock.now()
  const error = reason.slice(0, MAX_ERROR_LENGTH)
  const isLast = attempts + 1 >= maxAttempts
  if (isLast && everyMs === undefined) {
    const dueTs = now + FAILED_KEPT_MS
    return new Change().write(taskEnded, { task, runner, status: 'failed', dueTs, result: undefined, error })
  }
  const wait = isLast ? (everyMs ?? 0) : Math.min(backoffMs * 2 ** attempts, MAX_BACKOFF_MS)
  return new Change().write(taskPutBack, {
    task,
    runner,
    dueTs: now + wait,
    attempts: isLast ? 0 : attempts + 1,
    payload,
    error,
  })
}

async function written(change: Change, { commit }: Deps): Promise<void> {
  const outcome = await commit(change)
  if (!outcome.ok) throw new Error(`the end of the task was refused: ${outcome.refusedBy}`)
}
