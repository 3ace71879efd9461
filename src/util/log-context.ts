import { AsyncLocalStorage } from 'node:async_hooks'

/** What the log knows of the work that is being done: a request that is answered, or a task. It counts what the work reads. */
export type LogContext = {
  /** Names the work in the log, such as `GET-17`. */
  readonly id: string
  /** How many queries it made. */
  reads: number
  /** How long it waited for them, in milliseconds. */
  readMs: number
  /** How many events were among what it read. */
  events: number
}

const storage = new AsyncLocalStorage<LogContext>()

/** A context of work that has read nothing yet. */
export const newLogContext = (id: string): LogContext => ({ id, reads: 0, readMs: 0, events: 0 })

/** Runs `work` as part of that context. */
export const inLogContext = <T>(context: LogContext, work: () => T): T => storage.run(context, work)

/** The context of the current code, if it works for one. For the log and what counts for it, nothing else. */
export const logContext = (): LogContext | undefined => storage.getStore()
