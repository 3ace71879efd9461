import { type Clock, systemClock } from '#util/clock.ts'

/** A clock that a test moves. Its timers run by the machine's clock. */
export type MovingClock = Clock & { readonly move: (byMs: number) => void }

/** A clock that stands where the machine's clock stands, until it is moved. */
export const movingClock = (): MovingClock => {
  let movedMs = 0
  return {
    now: () => systemClock.now() + movedMs,
    after: systemClock.after,
    move: (byMs) => {
      movedMs += byMs
    },
  }
}
