import { Change } from '#storage/change.ts'
import type { Commit } from '#storage/commit.ts'
import type { Reader } from '#storage/database.ts'
import { type DueTask, dueTasks, exclusionFree, nextDueTs, taskClaimed, taskWaits } from '#storage/stores/tasks.ts'
import type { Clock } from '#util/clock.ts'
import type { Logger } from '#util/logger.ts'
import { ensureRecurring } from './recurring.ts'
import { LEASE_MS, type Run, runTask } from './run.ts'
import type { Scheduler } from './scheduler.ts'
import type { ReadyTask } from './task.ts'

type Deps = {
  readonly db: Reader
  readonly commit: Commit
  readonly clock: Clock
  readonly log: Logger
  readonly scheduler: Scheduler
  /** Tells this process from all others, and from its own earlier lives. */
  readonly runner: string
}

/** How many tasks run at the same time. */
const MAX_RUNNING = 4
/** How many due tasks are looked at: of those that exclude each other only one runs. */
const MAX_DUE = 100
/** Other processes schedule tasks too: so often somebody looks at least. */
const LOOK_EVERY_MS = 60_000
/** After the database did not answer. */
const LOOK_AGAIN_MS = 5_000
/** How long a stop waits for tasks that were told to end. */
const STOP_MS = 4_000

/** Runs the tasks that are due. Each is claimed by a condition in the database, so that it runs once however many processes look. */
export class TaskRunner implements AsyncDisposable {
  readonly #deps: Deps
  readonly #running = new Map<number, Run>()
  #tasks: ReadonlyMap<string, ReadyTask> = new Map()
  #looking: Promise<number> | undefined
  #isLookDue = false
  #isStopping = false
  #timer: { readonly at: number; readonly cancel: () => void } | undefined

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** How many tasks run now. */
  get runningCount(): number {
    return this.#running.size
  }

  /** Begins to run tasks of these kinds. Those of other kinds are left for a process that knows them. */
  async start(tasks: readonly ReadyTask[]): Promise<void> {
    this.#tasks = new Map(tasks.map((task) => [task.name, task]))
    this.#deps.scheduler.listen((dueTs) => this.#lookAt(dueTs))
    await ensureRecurring(tasks, this.#deps)
    void this.#look()
  }

  /** Resolves when nothing runs and nothing is due. For tests. */
  async settled(): Promise<void> {
    for (;;) {
      const started = await this.#look()
      if (started === 0 && this.#running.size === 0) return
      await Promise.all([...this.#running.values()].map(({ done }) => done))
    }
  }

  /** Tells the tasks that run to end, and gives them back for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    this.#timer?.cancel()
    for (const { abort } of this.#running.values()) abort.abort()
    await this.#looking
    const ended = Promise.all([...this.#running.values()].map(({ done }) => done))
    const late = Promise.withResolvers<void>()
    const timer = setTimeout(() => late.resolve(), STOP_MS)
    await Promise.race([ended, late.promise])
    clearTimeout(timer)
  }

  /** Looks for due tasks; resolves to how many were started. One who asks while somebody looks gets a look of its own after that. */
  #look(): Promise<number> {
    if (this.#isStopping) return Promise.resolve(0)
    if (this.#looking !== undefined) {
      this.#isLookDue = true
      return this.#looking
    }
    this.#looking = this.#lookUntilNothingIsNew()
    return this.#looking
  }

  async #lookUntilNothingIsNew(): Promise<number> {
    let started = 0
    do {
      this.#isLookDue = false
      try {
        const now = this.#deps.clock.now()
        started += await this.#startDue(now)
        await this.#plan(now)
      } catch (error) {
        this.#deps.log.warn('tasks_not_read', { error: String(error) })
        this.#lookAt(this.#deps.clock.now() + LOOK_AGAIN_MS)
      }
    } while (this.#isLookDue && !this.#isStopping)
    // In the same turn as the last look at `#isLookDue`, so that nobody's wish is lost between them.
    this.#looking = undefined
    return started
  }

  async #startDue(now: number): Promise<number> {
    let started = 0
    const due = await dueTasks(this.#deps.db, [...this.#tasks.keys()], { now, limit: MAX_DUE })
    for (const row of due) {
      if (this.#running.size >= MAX_RUNNING || this.#isStopping) break
      if (this.#running.has(row.task) || this.#isExcluded(row.exclusion)) continue
      if (!(await this.#claim(row))) continue
      this.#run(row)
      started++
    }
    return started
  }

  #isExcluded(exclusion: string): boolean {
    return exclusion !== '' && [...this.#running.values()].some((run) => run.exclusion === exclusion)
  }

  async #claim({ task, name, dueTs, exclusion }: DueTask): Promise<boolean> {
    const { commit, clock, runner } = this.#deps
    const now = clock.now()
    const keepsOnce = this.#tasks.get(name)?.everyMs !== undefined
    const change = new Change().require(taskWaits, { task, dueTs })
    if (exclusion !== '') change.require(exclusionFree, { task, exclusion, now })
    change.write(taskClaimed, { task, runner, dueTs: now + LEASE_MS, keepsOnce })
    return (await commit(change)).ok
  }

  #run(row: DueTask): void {
    const task = this.#tasks.get(row.name)
    if (task === undefined) return
    const abort = new AbortController()
    const done = runTask(task, row, abort.signal, this.#deps).finally(() => {
      this.#running.delete(row.task)
      // A place is free, and what it excluded may run.
      void this.#look()
    })
    this.#running.set(row.task, { exclusion: row.exclusion, abort, done })
  }

  /** Looks again when the next task is due that was not at `now`. */
  async #plan(now: number): Promise<void> {
    this.#lookAt(Math.min((await nextDueTs(this.#deps.db, now)) ?? Number.POSITIVE_INFINITY, now + LOOK_EVERY_MS))
  }

  #lookAt(dueTs: number): void {
    const { clock } = this.#deps
    const now = clock.now()
    if (this.#isStopping || this.#tasks.size === 0) return
    if (dueTs <= now) {
      void this.#look()
      return
    }
    if (this.#timer !== undefined && this.#timer.at > now && this.#timer.at <= dueTs) return
    this.#timer?.cancel()
    const cancel = clock.after(dueTs - now, () => {
      this.#timer = undefined
      void this.#look()
    })
    this.#timer = { at: dueTs, cancel }
  }
}
