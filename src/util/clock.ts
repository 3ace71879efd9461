/** Where the time comes from. Handed in everywhere, so that tests move it instead of waiting. */
export type Clock = {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Runs `task` once after `delayMs`, unless cancelled by the returned function. */
  readonly after: (delayMs: number, task: () => void) => () => void
}

/** The machine's own clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, task) => {
    const timer = setTimeout(task, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Time that only goes forward, and that no test moves: for how long a wire has been silent. Its zero is any moment. */
export const steadyClock: Clock = { now: () => performance.now(), after: systemClock.after }
