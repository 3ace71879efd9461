import type { Change } from '#storage/change.ts'
import type { Numbers } from '#storage/stores/numbers.ts'
import { taskAdded } from '#storage/stores/tasks.ts'
import type { Clock } from '#util/clock.ts'
import type { Task } from './task.ts'

type Deps = { readonly numbers: Numbers; readonly clock: Clock }

/** When a task is to run, and how often. */
export type ScheduleOptions = {
  /** Not before that time, in milliseconds since 1970; at once where it is left out. */
  readonly dueTs?: number
  /** Of all tasks with this word only one waits: if there is one, this one is not added. One that runs already does not count. */
  readonly once?: string
}

/** Puts tasks into the changes that want them: both are written, or neither. */
export class Scheduler {
  readonly #deps: Deps
  #onScheduled: (dueTs: number) => void = () => {}

  constructor(deps: Deps) {
    this.#deps = deps
  }

  /** Calls `listener` when a task is durable, with its time. */
  listen(listener: (dueTs: number) => void): void {
    this.#onScheduled = listener
  }

  /** Adds a task to the change. Resolves to its number. */
  async schedule<Payload>(
    change: Change,
    { name, exclusion }: Pick<Task<Payload, never>, 'name' | 'exclusion'>,
    payload: Payload,
    { dueTs = this.#deps.clock.now(), once }: ScheduleOptions = {},
  ): Promise<number> {
    const task = await this.#deps.numbers.next('task')
    change.write(taskAdded, {
      task,
      name,
      payload: JSON.stringify(payload),
      once,
      exclusion: exclusion(payload),
      dueTs,
      attempts: 0,
      status: 'waiting',
    })
    change.onCommitted(() => this.#onScheduled(dueTs))
    return task
  }
}
