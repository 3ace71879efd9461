import type pg from 'pg'
import type { Asking } from '#storage/counters/facts.ts'

/** Answers all that is asked, and gives what comes of it. */
export const runAsking = async <T>(client: pg.Client, asking: Asking<T>): Promise<T> => {
  let step = asking.next()
  while (step.done !== true) step = asking.next((await client.query(step.value)).rows)
  return step.value
}
