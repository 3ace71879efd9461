import { type Clock, systemClock } from '#util/clock.ts'

/** A clock whose timers ring by hand alone. */
export type HandClock = Clock & {
  /** Rings all timers that were set for so many milliseconds; waits for one where there is none. */
  readonly ring: (delayMs: number) => Promise<void>
}

type Timer = { readonly delayMs: number; readonly task: () => void }

/** A clock that shows the machine's time, and whose timers ring by hand. */
export const handClock = (): HandClock => {
  const timers = new Set<Timer>()
  let wake = () => {}
  return {
    now: systemClock.now,
    after: (delayMs, task) => {
      const timer = { delayMs, task }
      timers.add(timer)
      wake()
      return () => timers.delete(timer)
    },
    ring: async (delayMs) => {
      for (;;) {
        const due = [...timers].filter((timer) => timer.delayMs === delayMs)
        for (const timer of due) {
          timers.delete(timer)
          timer.task()
        }
        if (due.length > 0) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
