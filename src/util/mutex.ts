/** Runs pieces of work one after the other, in the order in which they were handed in. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** How many pieces are running or wait. */
  get length(): number {
    return this.#waiting
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++
    const done = this.#last.then(work, work).finally(() => {
      this.#waiting--
    })
    // The next piece waits for this one but does not fail with it.
    this.#last = done.catch(() => {})
    return done
  }
}
