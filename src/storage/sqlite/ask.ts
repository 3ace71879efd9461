import type { DatabaseSync } from 'node:sqlite'
import type { Asking, Rows } from '#storage/counters/facts.ts'

/** Answers all that is asked, and gives what comes of it. */
export const runAsking = <T>(db: DatabaseSync, asking: Asking<T>): T => {
  let step = asking.next()
  while (step.done !== true) step = asking.next(db.prepare(step.value).all() as Rows)
  return step.value
}
