import { type Clock, systemClock } from '#util/clock.ts'

/** A clock whose timers ring by hand alone. */
export type HandClock = Clock & {
  /** Rings every timer that is or will be set for so many milliseconds, until that has come about. */
  readonly ringUntil: <T>(delayMs: number, done: Promise<T>) => Promise<T>
}

type Timer = { readonly delayMs: number; readonly task: () => void }

/** A clock that shows the machine's time, and whose timers ring by hand. */
export const handClock = (): HandClock => {
  const timers = new Set<Timer>()
  return {
    now: systemClock.now,
    after: (delayMs, task) => {
      const timer = { delayMs, task }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    ringUntil: async (delayMs, done) => {
      let isDone = false
      const settled = () => {
        isDone = true
      }
      done.then(settled, settled)
      while (!isDone) {
        for (const timer of [...timers].filter((one) => one.delayMs === delayMs)) {
          timers.delete(timer)
          timer.task()
        }
        await new Promise((resolve) => setImmediate(resolve))
      }
      return done
    },
  }
}
