import type * as z from 'zod'
import type { Change } from '#storage/change.ts'
import type { Json } from '#util/json.ts'

/** How a run of a task ended, where there is more to say than that it did. */
export type TaskEnd<Payload> = {
  /** Written in the same commit that ends the task. */
  readonly change?: Change
  /** Kept with the task, for those who want to know how it went. */
  readonly result?: Json
  /** For recurring tasks: what the next run is to know. */
  readonly payload?: Payload
}

/** Durable work, declared once: it survives a restart, is tried again, and runs in one process at a time. Made by `task`. */
export type Task<Payload, Deps> = {
  /** Stands in the database: it cannot be changed. */
  readonly name: string
  readonly payload: z.ZodType<Payload>
  /** Two tasks with the same key never run at the same time; '' excludes nothing. */
  readonly exclusion: (payload: Payload) => string
  /** After so many failed runs it is given up. A recurring one waits for its next time instead. */
  readonly maxAttempts: number
  /** How long it waits after the first failure; the double after each further one, at most an hour. */
  readonly backoffMs: number
  /** Recurring: so long after one run comes the next. The first payload stands in `first`. */
  readonly every: { readonly ms: number; readonly first: Payload } | undefined
  /** How long it is kept after it ended, with its result. Failed ones are kept for a week in any case. */
  readonly keptMs: number
  /** Does the work in steps that can be done twice, and ends early by throwing when the signal aborts. */
  readonly run: (deps: Deps, payload: Payload, signal: AbortSignal) => Promise<TaskEnd<Payload> | undefined>
}

type Options<Payload, Deps> = Pick<Task<Payload, Deps>, 'payload' | 'run'> & Partial<Omit<Task<Payload, Deps>, 'name'>>

/** Declares a task. What is left out: excludes nothing, ten attempts, the first again after five seconds, not recurring, not kept. */
export const task = <Payload, Deps>(name: string, options: Options<Payload, Deps>): Task<Payload, Deps> => ({
  name,
  exclusion: () => '',
  maxAttempts: 10,
  backoffMs: 5_000,
  every: undefined,
  keptMs: 0,
  ...options,
})

/** A task with all that it needs, as the runner takes it. */
export type ReadyTask = Pick<Task<never, never>, 'name' | 'maxAttempts' | 'backoffMs' | 'keptMs'> & {
  /** The period of a recurring one. */
  readonly everyMs: number | undefined
  /** The first payload of a recurring one and its exclusion. */
  readonly first: { readonly payload: string; readonly exclusion: string } | undefined
  readonly run: (payload: string, signal: AbortSignal) => Promise<TaskEnd<unknown> | undefined>
}

/** Gives a task what it needs. */
export const ready = <Payload, Deps>(declared: Task<Payload, Deps>, deps: Deps): ReadyTask => {
  const { name, maxAttempts, backoffMs, keptMs, every, exclusion } = declared
  return {
    name,
    maxAttempts,
    backoffMs,
    keptMs,
    everyMs: every?.ms,
    first:
      every === undefined ? undefined : { payload: JSON.stringify(every.first), exclusion: exclusion(every.first) },
    run: (payload, signal) => declared.run(deps, declared.payload.parse(JSON.parse(payload)), signal),
  }
}
